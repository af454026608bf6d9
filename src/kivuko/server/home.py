"""What answers where the app will be: which Kivuko this is, and where the API has what a link means."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import Response

from kivuko import __version__
from kivuko.platform.page import page, page_policy
from kivuko.records import Id
from kivuko.server.answers import bytes_answer
from kivuko.server.headers import request_id_of

__all__ = ["home_page", "object_page"]

_KINDS = ("attempts", "inboxes", "messages", "projects", "runs", "work_orders", "workflows")
_EVERYWHERE = (
    '<li><a href="/api/v1/docs">The API</a>, and its <a href="/api/v1/openapi.json">OpenAPI document</a></li>',
    '<li><a href="/ready">Is it ready?</a></li>',
)


async def home_page(request: Request) -> Response:
    """200 with a small page."""
    return _page(request, "This server takes messages and runs jobs. It is driven by its API; the web app is still to come.", ())


async def object_page(request: Request) -> Response:
    """A link of a mail, ``/projects/<id>/runs/<id>``: where the API has that object. 404 for what is no such link."""
    parts = request.path_params["rest"].strip("/").split("/")
    kind, name = ("projects", *parts)[-2:] if len(parts) % 2 else ("", "")
    if kind not in _KINDS or not _is_id(name):
        return _page(request, "There is nothing at this address.", (), 404)
    address = escape(f"/api/v1/{kind}/{name}")
    text = "The page of this object comes with the web app. Until then the API has it, for those who are signed in."
    return _page(request, text, (f'<li><a href="{address}">{address}</a></li>', '<li><a href="/sign-in">Sign in</a></li>'))


def _page(request: Request, text: str, items: tuple[str, ...], status: int = 200) -> Response:
    body = f"<p>{text}</p><ul>{''.join((*items, *_EVERYWHERE))}</ul>"
    headers = {"content-security-policy": page_policy()}
    return bytes_answer(
        page(f"Kivuko {__version__}", body).encode("utf-8"),
        status,
        request_id_of(request.scope["headers"]),
        "text/html; charset=utf-8",
        headers,
    )


def _is_id(text: str) -> bool:
    try:
        return str(Id.parse(text)) == text
    except ValueError:
        return False
