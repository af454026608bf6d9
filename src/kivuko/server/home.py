"""What answers at ``/`` as long as there is no app: which Kivuko this is, and where its API is described."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from kivuko import __version__
from kivuko.server.answers import bytes_answer
from kivuko.server.headers import request_id_of

__all__ = ["home_page"]

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Kivuko</title>
<h1>Kivuko {version}</h1>
<p>Every message crosses. This server takes messages and runs jobs; it is driven by its API.</p>
<ul>
<li><a href="/api/v1/docs">The API</a>, and its <a href="/api/v1/openapi.json">OpenAPI document</a></li>
<li><a href="/ready">Is it ready?</a></li>
</ul>
</html>
"""


async def home_page(request: Request) -> Response:
    """200 with a small page."""
    policy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    page = _PAGE.format(version=__version__).encode("utf-8")
    headers = {"content-security-policy": policy}
    return bytes_answer(page, 200, request_id_of(request.scope["headers"]), "text/html; charset=utf-8", headers)
