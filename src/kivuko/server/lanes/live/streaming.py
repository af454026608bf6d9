"""Sending a stream until it ends, the reader goes, the reader is too slow, may no longer see it, or the server stops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from starlette.types import Receive, Send

from kivuko.errors import RequestRefused
from kivuko.server.lanes.live.events import AWAKE, RETRY

__all__ = ["Counted", "Streaming"]

_AWAKE_EVERY_S = 15.0
_CHECK_EVERY_S = 60.0
_SEND_WITHIN_S = 20.0

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # nginx would hold events back.
    (b"x-accel-buffering", b"no"),
]


class Counted(Protocol):
    """Hears of streams: for the metrics."""

    def opened(self) -> None:
        """One more."""

    def closed(self) -> None:
        """One less."""

    def dropped(self) -> None:
        """One was too slow."""


@dataclass(frozen=True)
class Streaming:
    """How streams are sent. ``ending`` ends all of them."""

    counted: Counted
    awake_every_s: float = _AWAKE_EVERY_S
    check_every_s: float = _CHECK_EVERY_S
    send_within_s: float = _SEND_WITHIN_S
    ending: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, source: AsyncGenerator[bytes], check: Callable[[], Awaitable[None]], receive: Receive, send: Send) -> None:
        """Sends what ``source`` gives; it must give something, be it nothing, every few seconds. ``check`` raises when it has to end."""
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        self.counted.opened()
        pump = asyncio.create_task(self._pump(source, check, send))
        gone = asyncio.create_task(_gone(receive))
        ending = asyncio.create_task(self.ending.wait())
        try:
            await asyncio.wait({pump, gone, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.counted.closed()
            for task in (pump, gone, ending):
                task.cancel()
            outcomes = await asyncio.gather(pump, gone, ending, return_exceptions=True)
        problem = outcomes[0]
        if isinstance(problem, TimeoutError):
            # Its buffer is full: nothing more can be said to it, and what serves it cuts the connection.
            self.counted.dropped()
            return
        if isinstance(problem, Exception) and not isinstance(problem, RequestRefused):
            raise problem
        if outcomes[1] is not True:
            await send({"type": "http.response.body", "body": b""})

    async def _pump(self, source: AsyncGenerator[bytes], check: Callable[[], Awaitable[None]], send: Send) -> None:
        said_at_s = checked_at_s = time.monotonic()
        await self._say(RETRY, send)
        async with aclosing(source) as texts:
            async for text in texts:
                now_s = time.monotonic()
                if now_s - checked_at_s > self.check_every_s:
                    await check()
                    checked_at_s = now_s
                if text or now_s - said_at_s >= self.awake_every_s:
                    await self._say(text or AWAKE, send)
                    said_at_s = now_s

    async def _say(self, text: bytes, send: Send) -> None:
        async with asyncio.timeout(self.send_within_s):
            await send({"type": "http.response.body", "body": text, "more_body": True})


async def _gone(receive: Receive) -> bool:
    while (await receive())["type"] != "http.disconnect":
        pass
    return True
