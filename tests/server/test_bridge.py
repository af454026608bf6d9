"""The bridge to WSGI applications."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.validate import validator

import pytest

from kivuko.server.bridge import Bridge, Wsgi
from server.asgi import Answer, asking, scope_of


def through(application: Wsgi, *requests: tuple[dict[str, Any], Iterable[bytes]], threads: int = 2) -> list[Answer]:
    """The answers of several requests that are made together."""

    async def all_of_them() -> list[Answer]:
        bridge = Bridge(application, threads=threads, body_limit_bytes=1000)
        try:
            return list(await asyncio.gather(*(asking(bridge, scope, chunks) for scope, chunks in requests)))
        finally:
            bridge.close()

    return asyncio.run(all_of_them())


def one(application: Wsgi, method: str, path: str, *chunks: bytes, headers: dict[str, str] | None = None) -> Answer:
    """One answer."""
    (answer,) = through(application, (scope_of(method, path, headers), chunks))
    return answer


class Echo:
    """A WSGI application that says what it got and remembers it."""

    def __init__(self, body: Iterable[bytes] = (b"an", b"swer")) -> None:
        self.environ: dict[str, Any] = {}
        self.got = b""
        self._body = body

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers."""
        self.environ = environ
        self.got = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
        start_response("201 Created", [("X-Own", "ü"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Content-Type", "text/plain")])
        return self._body


def test_the_answer_comes_back_whole() -> None:
    answer = one(Echo(), "GET", "/x")
    assert (answer.status, answer.body) == (201, b"answer")
    assert answer.pairs.count(("set-cookie", "a=1")) == 1
    assert answer.pairs.count(("set-cookie", "b=2")) == 1
    assert (answer.headers["x-own"], answer.headers["content-length"]) == ("ü", "6")


def test_the_request_arrives_as_pep_3333_says() -> None:
    echo = Echo()
    headers = {"content-type": "text/x", "cookie": "a=1", "x-many": "1", "host": "h"}
    scope = scope_of("POST", "/päth/x?q=%C3%BC&r", headers)
    scope["headers"] += [(b"x-many", b"2"), (b"cookie", b"b=2")]
    through(echo, (scope, [b"bo", b"dy"]))
    assert echo.got == b"body"
    expected = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/päth/x".encode().decode("latin-1"),
        "QUERY_STRING": "q=%C3%BC&r",
        "CONTENT_TYPE": "text/x",
        "CONTENT_LENGTH": "4",
        "HTTP_X_MANY": "1,2",
        "HTTP_COOKIE": "a=1; b=2",
        "HTTP_HOST": "h",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_PORT": "4000",
        "wsgi.url_scheme": "http",
    }
    assert {key: echo.environ[key] for key in expected} == expected


def test_it_keeps_to_the_standard_in_a_validators_eyes() -> None:
    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["wsgi.input"].read(4)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]

    assert one(validator(application), "POST", "/x?y=1", b"body", headers={"content-type": "text/plain"}).body == b"ok"  # type: ignore[arg-type]


def test_a_header_with_an_underscore_cannot_pass_for_another() -> None:
    echo = Echo()
    one(echo, "GET", "/x", headers={"x_forwarded_for": "canary"})
    assert "canary" not in echo.environ.values()


def test_a_compressed_body_arrives_inflated() -> None:
    echo = Echo()
    one(echo, "POST", "/x", gzip.compress(b"body"), headers={"content-encoding": "gzip"})
    assert (echo.got, echo.environ["CONTENT_LENGTH"]) == (b"body", "4")
    assert "HTTP_CONTENT_ENCODING" not in echo.environ


@pytest.mark.parametrize(
    ("chunks", "headers"),
    [
        ([b"x" * 600, b"x" * 600], {}),
        ([b"x"], {"content-length": "99999999"}),
        ([gzip.compress(b"x" * 5000)], {"content-encoding": "gzip"}),
    ],
    ids=["streamed", "announced", "inflated"],
)
def test_a_body_that_is_too_large_is_refused_before_django_sees_it(chunks: list[bytes], headers: dict[str, str]) -> None:
    echo = Echo()
    answer = one(echo, "POST", "/x", *chunks, headers=headers)
    assert (answer.status, answer.json["code"]) == (413, "too_large")
    assert echo.environ == {}


def test_a_head_that_is_too_large_is_refused() -> None:
    assert one(Echo(), "GET", "/x", headers={"x-long": "x" * 70_000}).status == 431


def test_what_the_application_hands_out_is_closed_in_its_own_thread() -> None:
    threads: list[tuple[str, int]] = []

    class Body:
        def __iter__(self) -> Any:
            threads.append(("read", threading.get_ident()))
            yield b"x"

        def close(self) -> None:
            threads.append(("closed", threading.get_ident()))

    one(Echo(Body()), "GET", "/x")
    assert [what for what, _ in threads] == ["read", "closed"]
    assert len({thread for _, thread in threads} | {threading.get_ident()}) == 2


def test_a_body_is_closed_even_when_it_fails() -> None:
    closed: list[bool] = []

    class Body:
        def __iter__(self) -> Any:
            raise ValueError("broken")
            yield b""

        def close(self) -> None:
            closed.append(True)

    with pytest.raises(ValueError, match="broken"):
        one(Echo(Body()), "GET", "/x")
    assert closed == [True]


def test_threads_live_from_one_request_to_the_next() -> None:
    seen: list[int] = []

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        seen.append(threading.get_ident())
        start_response("204 No Content", [])
        return []

    through(application, *[(scope_of("GET", "/x"), [])] * 20, threads=1)
    assert len(seen) == 20
    assert len(set(seen)) == 1


def test_requests_do_not_wait_for_each_other_while_there_are_threads() -> None:
    together = threading.Barrier(2, timeout=20)

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        together.wait()
        start_response("200 OK", [])
        return [b""]

    assert [answer.status for answer in through(application, *[(scope_of("GET", "/x"), [])] * 2)] == [200, 200]


def test_a_closed_bridge_says_that_the_server_stops() -> None:
    async def closed() -> Answer:
        bridge = Bridge(Echo(), threads=1, body_limit_bytes=1)
        bridge.close()
        return await asking(bridge, scope_of("GET", "/x"))

    answer = asyncio.run(closed())
    assert (answer.status, answer.json["code"]) == (503, "shutting_down")
    assert "retry-after" in answer.headers


def test_a_websocket_that_no_lane_takes_is_closed() -> None:
    sent: list[Any] = []

    async def refused() -> None:
        bridge = Bridge(Echo(), threads=1, body_limit_bytes=1)

        async def send(event: Any) -> None:
            sent.append(event)

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        await bridge({"type": "websocket"}, receive, send)
        bridge.close()

    asyncio.run(refused())
    assert sent == [{"type": "websocket.close", "code": 4404}]
