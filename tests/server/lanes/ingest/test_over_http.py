"""The lanes behind uvicorn, over real connections: what streaming, cutting and keeping alive look like from outside."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from kivuko.records import Message
from kivuko.records.sqlite import SqliteDatabase
from kivuko.server.lanes.ingest import api_key
from server.lanes.ingest.worlds import JSON, World


class Server:
    """A world behind a port."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        config = uvicorn.Config(world.app, http="httptools", ws="none", lifespan="off", log_level="warning")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: world.run(self._server.serve([self._socket])))
        self._thread.start()

    def close(self) -> None:
        """Stops it."""
        self._server.should_exit = True
        self._thread.join(20)
        self._socket.close()

    def connect(self) -> http.client.HTTPConnection:
        """A connection that is kept open."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)


@contextmanager
def served(folder: Path, body_patience_s: float) -> Iterator[Server]:
    """The lanes on SQLite behind uvicorn."""
    with World(SqliteDatabase(folder / "kivuko.db"), folder, body_patience_s=body_patience_s) as world:
        opened = Server(world)
        try:
            yield opened
        finally:
            opened.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that waits for slow senders."""
    with served(tmp_path, 20) as opened:
        yield opened


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Server]:
    """A server that does not."""
    with served(tmp_path, 0.05) as opened:
        yield opened


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes, Any]:
    """One request on a connection."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named)
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers


def test_many_requests_share_a_connection(server: Server) -> None:
    connection = server.connect()
    answers = [ask(connection, "POST", server.world.inbox_url, json.dumps({"n": at}), **JSON) for at in range(5)]
    connection.close()
    assert [status for status, _, _ in answers] == [202] * 5
    stored = {str(message.id) for message in server.world.rows(Message)}
    assert {json.loads(body)["message_id"] for _, body, _ in answers} == stored


def test_a_body_without_length_is_taken(server: Server) -> None:
    connection = server.connect()
    status, body, _ = ask(connection, "POST", server.world.inbox_url, iter([b'{"a":', b"1}"]), **JSON)
    connection.close()
    assert status == 202
    assert server.world.body_of(json.loads(body)["message_id"]) == {"a": 1}


def test_a_body_a_little_too_large_hears_why(server: Server) -> None:
    server.world.enter_inbox(body_limit_bytes=100_000)
    connection = server.connect()
    status, body, headers = ask(connection, "POST", server.world.inbox_url, b"x" * 500_000, **JSON)
    connection.close()
    assert (status, json.loads(body)["code"], headers["connection"]) == (413, "too_large", "close")


def test_a_stream_that_does_not_end_is_cut_off(server: Server) -> None:
    server.world.enter_inbox(body_limit_bytes=100_000)
    with socket.create_connection(("127.0.0.1", server.port), 20) as line:
        line.sendall(f"POST {server.world.inbox_url} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".encode())
        sent, chunk = 0, b"10000\r\n" + b"x" * 65_536 + b"\r\n"
        with suppress(OSError):
            while sent < 1_000_000_000:
                line.sendall(chunk)
                sent += len(chunk)
    assert sent < 50_000_000
    assert server.world.rows(Message) == []


def test_who_asks_before_sending_is_told_at_once(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 20) as line:
        head = f"POST {server.world.inbox_url} HTTP/1.1\r\nhost: x\r\ncontent-length: 20000000\r\nexpect: 100-continue\r\n\r\n"
        line.sendall(head.encode())
        assert line.makefile("rb").readline().startswith(b"HTTP/1.1 413")


def test_a_wrong_key_with_a_large_body_ends_the_connection_and_a_small_one_does_not(server: Server) -> None:
    server.world.enter_inbox(auth_methods=(api_key("key", "right"),))
    connection = server.connect()
    assert ask(connection, "POST", server.world.inbox_url, b"{}", x_api_key="wrong")[0] == 401
    assert ask(connection, "POST", server.world.inbox_url, b"{}", x_api_key="right")[0] == 202
    connection.close()
    with socket.create_connection(("127.0.0.1", server.port), 20) as line:
        line.sendall(f"POST {server.world.inbox_url} HTTP/1.1\r\nhost: x\r\ncontent-length: 900000000\r\n\r\n".encode())
        answer = line.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 401")
    assert b"connection: close" in answer.lower()


def test_a_sender_that_hangs_up_in_the_middle_leaves_nothing(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 20) as line:
        line.sendall(f"POST {server.world.inbox_url} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{{".encode())
    connection = server.connect()
    assert ask(connection, "POST", server.world.inbox_url, b"{}", **JSON)[0] == 202
    connection.close()
    assert len(server.world.rows(Message)) == 1


def test_a_sender_that_falls_silent_is_let_go(hasty: Server) -> None:
    server = hasty
    with socket.create_connection(("127.0.0.1", server.port), 20) as line:
        line.sendall(f"POST {server.world.inbox_url} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{{".encode())
        assert line.makefile("rb").readline().startswith(b"HTTP/1.1 408")


def test_odk_asks_with_head(server: Server) -> None:
    connection = server.connect()
    status, body, headers = ask(connection, "HEAD", server.world.inbox_url)
    connection.close()
    assert (status, body, headers["x-openrosa-version"]) == (204, b"", "1.0")
    assert headers["date"]


@pytest.mark.parametrize(
    "line",
    [
        b"POST {inbox}\xff HTTP/1.1",
        b"POST {inbox}%00 HTTP/1.1",
        b"POST {inbox}?a=%ff&b=%00 HTTP/1.1",
        b"POST {hook}/%ff%fe/%00/%ed%a0%80 HTTP/1.1",
        b"POST /i/%ff HTTP/1.1",
        b"FETCH {hook} HTTP/1.1",
        b"POST {hook} HTTP/9.9",
        b"POST http://example.org{hook} HTTP/1.1",
    ],
)
def test_odd_requests_are_no_5xx(server: Server, line: bytes) -> None:
    first = line.replace(b"{inbox}", server.world.inbox_url.encode()).replace(b"{hook}", server.world.hook_url.encode())
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        head = b"\r\nhost: x\r\nconnection: close\r\nx-odd: \x80\xff\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
        connection.sendall(first + head)
        status = int(connection.makefile("rb").readline().split()[1])
    assert 200 <= status < 500
