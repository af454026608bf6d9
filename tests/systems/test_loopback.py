"""The loopback server that all small systems share."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from systems.loopback import Loopback, Reply, Request, basic_credentials


def echo(request: Request) -> Reply:
    """What was asked, as JSON."""
    return Reply(200, {"method": request.method, "query": request.query, "body": request.body.decode()})


def ask(url: str, data: bytes | None = None) -> object:
    """The JSON that a server answers."""
    with urllib.request.urlopen(url, data) as answer:
        return json.load(answer)


def test_requests_are_answered_and_remembered_in_order() -> None:
    with Loopback(echo) as server:
        assert ask(f"{server.url}/a?x=1&x=2") == {"method": "GET", "query": [["x", "1"], ["x", "2"]], "body": ""}
        assert ask(f"{server.url}/b", b"hello") == {"method": "POST", "query": [], "body": "hello"}
        assert server.asked == ["GET /a?x=1&x=2", "POST /b"]


def test_failures_can_be_forced_for_a_number_of_requests() -> None:
    with Loopback(echo) as server:
        server.fail_next(1, Reply(503, {"error": "busy"}))
        with pytest.raises(urllib.error.HTTPError) as failure:
            ask(server.url)
        with failure.value as answer:
            assert (answer.code, json.load(answer)) == (503, {"error": "busy"})
        assert ask(server.url) == {"method": "GET", "query": [], "body": ""}


def test_basic_authentication_keeps_colons_of_the_password() -> None:
    request = Request("GET", "/", (), {"authorization": "Basic Y2xpbmljOmE6Yg=="}, b"")
    assert basic_credentials(request) == ("clinic", "a:b")
    assert basic_credentials(Request("GET", "/", (), {"authorization": "Bearer x"}, b"")) is None
