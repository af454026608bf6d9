"""What answers where the app will be."""

from __future__ import annotations

import pytest
from starlette.routing import Route, Router

from kivuko import __version__
from kivuko.records import new_id
from kivuko.server.home import home_page, object_page
from server.asgi import Answer, ask

RUN, PROJECT = new_id(), new_id()


def get(path: str) -> Answer:
    """A page."""
    return ask(Router([Route("/", home_page), Route("/projects/{rest:path}", object_page)]), "GET", path)


def test_the_first_page_says_which_kivuko_this_is() -> None:
    answer = get("/")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert __version__ in answer.body.decode()
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "api"),
    [
        (f"/projects/{PROJECT}", f"/api/v1/projects/{PROJECT}"),
        (f"/projects/{PROJECT}/runs/{RUN}", f"/api/v1/runs/{RUN}"),
        (f"/projects/{PROJECT}/messages/{RUN}/", f"/api/v1/messages/{RUN}"),
    ],
    ids=["project", "run", "slash"],
)
def test_a_link_of_a_mail_leads_to_the_object_in_the_api(path: str, api: str) -> None:
    answer = get(path)
    assert answer.status == 200
    assert f'href="{api}"' in answer.body.decode()


@pytest.mark.parametrize(
    "path",
    ["/projects/x", f"/projects/{PROJECT}/runs", f"/projects/{PROJECT}/things/{RUN}", "/projects/", '/projects/"><script>'],
    ids=["no-id", "no-object", "no-kind", "empty", "markup"],
)
def test_what_is_no_such_link_is_404(path: str) -> None:
    answer = get(path)
    assert answer.status == 404
    assert "<script>" not in answer.body.decode()
