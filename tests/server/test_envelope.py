"""What is around every request and answer, by a lane and through Django alike."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from kivuko.server.bridge import Bridge
from kivuko.server.envelope import SECURITY_HEADERS, Envelope, lane_of
from kivuko.server.logs import set_up_logs
from kivuko.server.proxies import Proxies
from server.asgi import Answer, asking, scope_of

GIVEN = "given-by-the-sender-1234"
both_ways = pytest.mark.parametrize("way", ["/inbox", "/api"])


class House:
    """An envelope around a lane at ``/inbox/…`` and a bridge to a WSGI application; ``…/fail`` fails, ``…/own`` has headers of its own."""

    def __init__(self) -> None:
        self.observed: list[tuple[str, int]] = []
        self.seen: list[tuple[str, str, str]] = []

    def ask(self, path: str, headers: dict[str, str] | None = None, **head: str) -> Answer:
        """One request in a loop of its own."""
        return asyncio.run(self._ask(scope_of("GET", path, headers, **head)))

    async def _ask(self, scope: dict[str, Any]) -> Answer:
        bridge = Bridge(self._wsgi, threads=1, body_limit_bytes=1000)
        router = Router([Route("/inbox/{rest:path}", _Lane(self))], default=bridge)
        app = Envelope(router, Proxies(["10.0.0.1"]), lambda lane, status, seconds: self.observed.append((lane, status)))
        try:
            return await asking(app, scope)
        finally:
            bridge.close()

    def _wsgi(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.seen.append((environ["HTTP_X_REQUEST_ID"], environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]))
        path = environ["PATH_INFO"]
        if path.endswith("fail"):
            raise ValueError("canary-secret")
        start_response("200 OK", own_headers(path))
        return [b"by Django"]


def own_headers(path: str) -> list[tuple[str, str]]:
    """What some answers say themselves."""
    return [("Cache-Control", "max-age=60"), ("X-Frame-Options", "SAMEORIGIN")] if path.endswith("own") else []


class _Lane:
    def __init__(self, house: House) -> None:
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._house.seen.append((dict(scope["headers"])[b"x-request-id"].decode(), scope["client"][0], scope["scheme"]))
        if scope["path"].endswith("fail"):
            raise ValueError("canary-secret")
        await Response(b"by a lane", headers=dict(own_headers(scope["path"])))(scope, receive, send)


@both_ways
def test_a_good_request_id_is_kept_and_handed_on(way: str) -> None:
    house = House()
    assert house.ask(f"{way}/x", {"x-request-id": GIVEN}).headers["x-request-id"] == GIVEN
    assert house.seen[0][0] == GIVEN


@both_ways
@pytest.mark.parametrize("bad", ["short", "x" * 201, "with spaces in it is not safe"], ids=["short", "long", "spaces"])
def test_another_request_id_is_replaced_everywhere(way: str, bad: str) -> None:
    house = House()
    made = house.ask(f"{way}/x", {"x-request-id": bad}).headers["x-request-id"]
    assert made != bad
    assert len(made) == 36
    assert house.seen[0][0] == made


@both_ways
def test_every_answer_has_the_security_headers(way: str) -> None:
    answer = House().ask(f"{way}/x")
    assert {name.decode(): answer.headers.get(name.decode()) for name, _ in SECURITY_HEADERS} == {
        name.decode(): value.decode() for name, value in SECURITY_HEADERS
    }
    assert "strict-transport-security" not in answer.headers
    assert len(answer.pairs) == len({name for name, _ in answer.pairs})


@both_ways
def test_what_an_answer_says_itself_counts(way: str) -> None:
    answer = House().ask(f"{way}/own")
    assert (answer.headers["cache-control"], answer.headers["x-frame-options"]) == ("max-age=60", "SAMEORIGIN")
    assert len(answer.pairs) == len({name for name, _ in answer.pairs})


@both_ways
def test_browsers_are_told_to_stay_with_https(way: str) -> None:
    assert "strict-transport-security" in House().ask(f"{way}/x", scheme="https").headers


@both_ways
def test_the_client_that_a_trusted_proxy_names_is_the_client(way: str) -> None:
    house = House()
    house.ask(f"{way}/x", {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}, client="10.0.0.1")
    house.ask(f"{way}/x", {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}, client="192.0.2.1")
    assert [seen[1:] for seen in house.seen] == [("203.0.113.9", "https"), ("192.0.2.1", "http")]


@both_ways
def test_a_fault_is_answered_in_the_houses_form_and_tells_nothing(way: str, caplog: pytest.LogCaptureFixture) -> None:
    set_up_logs("json", "info")
    logging.getLogger().addHandler(caplog.handler)
    answer = House().ask(f"{way}/fail", {"x-request-id": GIVEN})
    assert (answer.status, answer.headers["content-type"]) == (500, "application/problem+json")
    assert (answer.json["code"], answer.json["request_id"], answer.json["status"]) == ("internal_error", GIVEN, 500)
    assert answer.json["detail"]
    assert answer.json["action"]
    assert "canary" not in answer.body.decode()
    assert "x-content-type-options" in answer.headers
    assert "a request failed" in caplog.text


@both_ways
def test_requests_are_counted_by_lane_and_status(way: str) -> None:
    house = House()
    house.ask(f"{way}/x")
    house.ask(f"{way}/fail")
    lane = {"/inbox": "inbox", "/api": "api"}[way]
    assert house.observed == [(lane, 200), (lane, 500)]


@pytest.mark.parametrize(
    ("path", "lane"),
    [
        ("/inbox/0192", "inbox"),
        ("/i/0192/x", "webhook"),
        ("/worker/websocket", "worker"),
        ("/api/v1/me", "api"),
        ("/api/v1/projects/0192/events", "live"),
        ("/api/v1/attempts/0192/log/stream", "live"),
        ("/ready", "health"),
        ("/", "page"),
        ("/inboxes", "page"),
    ],
)
def test_a_path_belongs_to_a_lane(path: str, lane: str) -> None:
    assert lane_of(path) == lane


def test_addresses_of_inboxes_and_queries_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    set_up_logs("json", "debug")
    logging.getLogger().addHandler(caplog.handler)
    house = House()
    house.ask("/inbox/canary-address")
    house.ask("/api/v1/projects?ticket=canary-ticket")
    house.ask("/api/v1/projects/1/events?ticket=canary-ticket")
    assert "/api/v1/projects" in caplog.text
    assert "canary" not in caplog.text
