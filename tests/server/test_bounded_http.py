"""Connections whose requests never come, or never end their heads, are let go; those that are served are not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from kivuko.server import bounded_http
from kivuko.server.bounded_http import BoundedHttp
from kivuko.server.headers import MOST_HEAD_BYTES

PATIENCE_S = 20
SHORT_S = 0.3
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Says how many bytes the body has, and how many headers came."""
    size, more = 0, True
    while more:
        event = await receive()
        size, more = size + len(event.get("body", b"")), event.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
    await send({"type": "http.response.body", "body": b"%05d%05d" % (size, len(scope["headers"]))})


@asynccontextmanager
async def served() -> AsyncIterator[Callable[[], asyncio.Future[Line]]]:
    """A server on a free port; gives a way to connect."""
    config = uvicorn.Config(echo, http=BoundedHttp, ws="none", lifespan="off", log_config=None, port=0)
    server = uvicorn.Server(config)
    server.config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    lines: list[Line] = []

    async def connect() -> Line:
        lines.append(await asyncio.open_connection("127.0.0.1", port))
        return lines[-1]

    try:
        yield lambda: asyncio.ensure_future(connect())
    finally:
        for _, writer in lines:
            writer.close()
        server.should_exit = True
        await server.shutdown()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little time for heads."""
    monkeypatch.setattr(bounded_http, "HEAD_WITHIN_S", SHORT_S)


async def said(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the connection ends, or is cut."""
    found = b""
    with suppress(ConnectionError):
        async with asyncio.timeout(PATIENCE_S):
            while piece := await reader.read(65_536):
                found += piece
    return found


async def answer(reader: asyncio.StreamReader) -> bytes:
    """The body of one answer, which has ten bytes."""
    async with asyncio.timeout(PATIENCE_S):
        await reader.readuntil(b"\r\n\r\n")
        return await reader.readexactly(10)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: x\r\n"], ids=["nothing", "half a line", "half a head"])
def test_a_head_that_does_not_come_ends_the_connection(sent: bytes) -> None:
    async def story() -> bytes:
        async with served() as connect:
            reader, writer = await connect()
            writer.write(sent)
            return await said(reader)

    assert asyncio.run(story()) == b""


@pytest.mark.usefixtures("hasty")
def test_a_body_may_take_longer_than_a_head() -> None:
    async def story() -> bytes:
        async with served() as connect:
            reader, writer = await connect()
            writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n")
            for _ in range(4):
                await asyncio.sleep(SHORT_S / 2)  # paced: the sender is slow
                writer.write(b"x")
            return await answer(reader)

    assert asyncio.run(story()) == b"0000400002"


def test_a_head_that_does_not_end_is_refused_in_words() -> None:
    async def story() -> bytes:
        async with served() as connect:
            reader, writer = await connect()
            # One byte too many: with more of them unread, the answer could go down with the connection.
            head = (b"GET / HTTP/1.1\r\nx: ").ljust(MOST_HEAD_BYTES + 1, b"a")
            writer.write(head[:1000])
            await writer.drain()
            writer.write(head[1000:])
            return await said(reader)

    refusal = asyncio.run(story())
    assert refusal.startswith(b"HTTP/1.1 431 ")
    assert b'"code":"head_too_large"' in refusal


def test_requests_one_after_another_are_counted_each_for_itself() -> None:
    async def story() -> list[bytes]:
        async with served() as connect:
            reader, writer = await connect()
            answers = []
            for _ in range(5):
                writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nx-long: " + b"a" * (MOST_HEAD_BYTES // 2))
                await writer.drain()
                writer.write(b"\r\n\r\n")
                answers.append(await answer(reader))
            return answers

    assert asyncio.run(story()) == [b"0000000002"] * 5


def test_what_comes_behind_a_body_in_chunks_is_dropped_and_bounded() -> None:
    async def story(trailer: bytes) -> bytes:
        async with served() as connect:
            reader, writer = await connect()
            writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n")
            await writer.drain()
            writer.write(trailer)
            return await (answer(reader) if trailer.endswith(b"\r\n\r\n") else said(reader))

    assert asyncio.run(story(b"x-late: 1\r\n\r\n")) == b"0000300002"
    assert asyncio.run(story(b"x-late: " + b"a" * 1_000_000)) == b""
