"""Odd requests beside the OpenAPI document: headers, addresses, live streams, the workers' socket. No answer is a 5xx, none takes long."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from journeys.own_server import TOKEN, OwnServer
from systems.adaptor_repo import adaptor_repo

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.xdist_group("fuzz")]
PATIENCE_S = 20
LONG = "9" * 6000
UPGRADE = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13", "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA=="}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with OwnServer(tmp_path_factory.mktemp("odd"), Path(adaptor_repo("common"))) as server:
        yield server


@pytest.fixture(scope="module")
def names(server: OwnServer) -> dict[str, str]:
    """What stands in braces in the tables below."""
    project, inbox = server.project("odd")
    message = server.send(inbox["url"], {"a": "ä"})["message_id"]
    return {"project": project, "message": message, "inbox": inbox["id"]}


def status(server: OwnServer, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> int:
    """The status of the answer, whatever comes after it: live streams do not end."""
    host, port = server.url.removeprefix("http://").split(":")
    lines = [
        f"{method} {path} HTTP/1.1",
        "host: x",
        f"content-length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    with socket.create_connection((host, int(port)), PATIENCE_S) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        return int(line.makefile("rb").readline().split()[1])


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"range": "bytes=0-1"}, 206),
        ({"range": f"bytes={LONG}-"}, 200),
        ({"range": f"bytes=0-{LONG}"}, 200),
        ({"range": f"bytes=-{LONG}"}, 200),
        ({"range": "bytes=5-2"}, 416),
        ({"range": "bytes=99999-"}, 416),
        ({"range": "lines=1-2, 3"}, 200),
        ({"if-none-match": '"' + LONG + '", W/"x", *'}, 200),
        ({"accept": "*/*;q=" + LONG}, 200),
        ({"accept-language": "\xff;q=x," * 500}, 200),
        ({"x-request-id": "\xe4" * 50}, 200),
        ({"x-forwarded-for": "[::1", "x-forwarded-proto": "gopher", "forwarded": "for="}, 200),
        ({"cookie": "sessionid=\xff; csrftoken=" + LONG}, 200),
        ({"authorization": "Bearer"}, 401),
        ({"authorization": "Bearer \xff"}, 401),
        ({"authorization": "Basic " + LONG}, 401),
        ({"host": "x, y"}, 400),
        ({"expect": "a miracle"}, 200),
    ],
    ids=lambda value: ", ".join(f"{name} {shown[:12]!a}" for name, shown in value.items()) if isinstance(value, dict) else "",
)
def test_odd_headers(server: OwnServer, names: dict[str, str], headers: dict[str, str], expected: int) -> None:
    sent = {"authorization": f"Bearer {TOKEN}", **headers}
    assert status(server, "GET", f"/api/v1/messages/{names['message']}/body", sent) == expected


@pytest.mark.parametrize(
    "headers",
    [
        {"idempotency-key": "k" * 5000},
        {"idempotency-key": "\xff\x01"},
        {"if-match": '"' + LONG + '"'},
        {"if-match": "W/,,\xff"},
        {"content-type": "application/json; charset=klingon"},
        {"content-type": "\xff"},
        {"content-encoding": "gzip"},
        {"x-http-method-override": "DELETE"},
    ],
    ids=lambda headers: ", ".join(f"{name} {shown[:12]!a}" for name, shown in headers.items()),
)
def test_odd_headers_of_what_is_written(server: OwnServer, names: dict[str, str], headers: dict[str, str]) -> None:
    sent = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json", **headers}
    for method, path in (("PATCH", f"projects/{names['project']}"), ("POST", f"messages/{names['message']}/versions")):
        body = b'{"description": "x"}' if method == "PATCH" else b'{"body": 1}'
        assert 200 <= status(server, method, f"/api/v1/{path}", sent, body) < 500


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/api/v1/projects/{project}/events", {}, 200),
        ("/api/v1/projects/{project}/events?topics=runs,%00", {}, 422),
        ("/api/v1/projects/{project}/events?topics=" + "runs," * 500, {}, 200),
        ("/api/v1/projects/{project}/events", {"last-event-id": LONG}, 200),
        ("/api/v1/projects/{project}/events", {"last-event-id": "\xff-1"}, 200),
        ("/api/v1/projects/{project}/events?ticket=x", {"authorization": ""}, 401),
        ("/api/v1/projects/{message}/events", {}, 404),
        ("/api/v1/projects/%ff/events", {}, 404),
        ("/api/v1/attempts/{message}/log/stream", {"last-event-id": "-1"}, 404),
        ("/api/v1/attempts/x/log/stream", {}, 404),
        ("/worker/websocket", {}, 404),
        ("/worker/websocket?token=x", UPGRADE, 403),
        ("/worker/websocket?token=" + LONG, UPGRADE, 403),
        ("/%ff%00", {}, 404),
        ("//api//v1//me", {}, 404),
        ("/api/v1/../v1/me", {}, 404),
        ("/api/v1/me?" + "a=1&" * 3000, {}, 400),
        ("/metrics?x=%ff", {"authorization": "Bearer x"}, 200),
    ],
)
def test_odd_addresses(server: OwnServer, names: dict[str, str], path: str, headers: dict[str, str], expected: int) -> None:
    sent = {"authorization": f"Bearer {TOKEN}", **headers}
    assert status(server, "GET", path.format(**names), {name: value for name, value in sent.items() if value}) == expected


def test_after_all_this_no_request_was_a_fault_of_the_server(server: OwnServer, names: dict[str, str]) -> None:
    assert server.ask("GET", "/ready").status == 200
    assert "Traceback" not in server.log
    assert '"exception"' not in server.log
