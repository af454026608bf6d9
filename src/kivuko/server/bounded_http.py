"""HTTP/1.1 with bounds that uvicorn does not set: what is not a body ends, after so many bytes and in so much time.

Without them one connection that sends a header for ever takes all memory, and one that sends nothing stays for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kivuko.errors import HeadTooLarge
from kivuko.server.headers import MOST_HEAD_BYTES

__all__ = ["HEAD_WITHIN_S", "BoundedHttp"]

HEAD_WITHIN_S = 30.0
"""So long the head of a request may take, from its first byte; and so long a connection may stay without a first one."""

_REFUSAL = HeadTooLarge()
_CONTENT = orjson.dumps(
    {
        "type": "about:blank",
        "status": 431,
        "title": "The head of the request is too large",
        "code": _REFUSAL.code,
        "detail": _REFUSAL.message,
        "action": _REFUSAL.fix,
    }
)
_ANSWER = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/problem+json\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(_CONTENT), _CONTENT)
)


class BoundedHttp(HttpToolsProtocol):
    """One connection. Bytes that bring neither the end of a head nor a piece of a body are counted: heads, trailers, chunk extensions."""

    _stalled_bytes = 0
    _moved = False
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The connection is open."""
        super().connection_made(transport)
        self._timer = self.loop.call_later(HEAD_WITHIN_S, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes came: at most 256 KiB."""
        self._moved = False
        super().data_received(data)
        if self._moved:
            self._stalled_bytes = 0
            return
        self._stalled_bytes += len(data)
        if self._timer is None:
            self._timer = self.loop.call_later(HEAD_WITHIN_S, self._give_up)
        if self._stalled_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._refuse()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; one behind the body is of no use here, and is dropped."""
        if self.cycle is None or self.cycle.scope is not self.scope:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head has ended."""
        self._move()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._move()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has ended."""
        self._move()
        super().on_message_complete()

    def _move(self) -> None:
        self._moved = True
        self._stop_timer()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self) -> None:
        answering: Any = self.cycle
        if answering is None or answering.response_complete:
            self.transport.write(_ANSWER)
        self.transport.close()

    def _give_up(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()
