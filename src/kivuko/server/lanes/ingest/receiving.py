"""Bodies as they stream in: to memory up to 1 MiB, then to a file without a name, within the limits of size and time."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from kivuko.errors import BodyTooLarge, BodyTooSlow, RecordsUnavailable, RequestRefused
from kivuko.server.headers import Headers, header
from kivuko.server.lanes.ingest.begun import Begun
from kivuko.server.lanes.ingest.bodies import Inflater, inflater_for

__all__ = ["IN_MEMORY_BYTES", "Receiving", "Spool", "receive_body"]

IN_MEMORY_BYTES = 1024 * 1024
_DISCARD_UP_TO = 10
"""A body that is too large is read on and thrown away up to ten times the limit, so that its sender hears the answer; then it is cut."""


@dataclass(frozen=True)
class Receiving:
    """How bodies are received: ``folder`` for files without a name (None: the system's).

    ``patience_s`` is how long the next piece may take, ``at_most_s`` how long all of them.
    """

    folder: Path | None = None
    patience_s: float = 30.0
    at_most_s: float = 600.0


class Spool:
    """A body that grows. Used as a context manager: afterwards it is gone."""

    def __init__(self, folder: Path | None = None) -> None:
        self.size_bytes = 0
        self._folder = folder
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pieces.clear()
        if self._file:
            self._file.close()

    @property
    def in_file(self) -> bool:
        """Whether it has outgrown memory."""
        return self._file is not None

    def write(self, piece: bytes) -> None:
        """Adds a piece. Raises RecordsUnavailable when the disk takes no more."""
        self.size_bytes += len(piece)
        try:
            if self._file is None and self.size_bytes > IN_MEMORY_BYTES:
                self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  # closed by __exit__
                self._file.writelines(self._pieces)
                self._pieces.clear()
            if self._file is None:
                self._pieces.append(piece)
            else:
                self._file.write(piece)
        except OSError as error:
            raise RecordsUnavailable(f"there is no room for the body of a message: {error.strerror}") from error

    def read(self) -> bytes:
        """All of it. Raises RecordsUnavailable when the disk failed meanwhile."""
        if self._file is None:
            return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        try:
            self._file.seek(0)
            return self._file.read()
        except OSError as error:
            raise RecordsUnavailable(f"the body of a message cannot be read back: {error.strerror}") from error


async def receive_body(headers: Headers, receive: Receive, spool: Spool, limit_bytes: int, receiving: Receiving) -> None:
    """Fills the spool with the body, unpacked, up to the limit.

    Raises BodyTooLarge, BodyTooSlow, MalformedBody (gzip), UnsupportedMediaType, RecordsUnavailable, and Starlette's ClientDisconnect.
    """
    inflater = inflater_for(header(headers, b"content-encoding"))
    _check_length(headers, limit_bytes)
    refused: RequestRefused | None = None
    received_bytes, more = 0, True
    until_s = time.monotonic() + receiving.at_most_s
    while more:
        piece, more = await _next_piece(receive, min(receiving.patience_s, until_s - time.monotonic()))
        received_bytes += len(piece)
        if refused is None:
            try:
                _take(spool, inflater, piece, limit_bytes, last=not more)
            except RequestRefused as error:
                refused = error
        elif received_bytes > limit_bytes * _DISCARD_UP_TO:
            break
    if refused:
        raise refused


def _check_length(headers: Headers, limit_bytes: int) -> None:
    """A length that is far too large, or that the sender asks about before it sends, is refused before anything is read."""
    length = header(headers, b"content-length") or ""
    if not (length.isascii() and length.isdigit()) or len(length) < len(str(limit_bytes)):
        return
    asks = (header(headers, b"expect") or "").lower() == "100-continue"
    if int(length[:30]) > limit_bytes * (1 if asks else _DISCARD_UP_TO):
        raise _too_large(limit_bytes)


def _take(spool: Spool, inflater: Inflater | None, piece: bytes, limit_bytes: int, *, last: bool) -> None:
    for part in inflater.feed(piece) if inflater else [piece] if piece else []:
        if spool.size_bytes + len(part) > limit_bytes:
            raise _too_large(limit_bytes)
        spool.write(part)
    if last and inflater:
        inflater.finish()


def _too_large(limit_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body is larger than the {limit_bytes} bytes that this address takes")


async def _next_piece(receive: Receive, within_s: float) -> tuple[bytes, bool]:
    if within_s <= 0:
        raise BodyTooSlow()
    # Most bodies are here with their head: a timer for them would cost more than reading them.
    begun = Begun(receive())
    try:
        event = begun.result if begun.over else await _within(within_s, begun)
    except TimeoutError as error:
        raise BodyTooSlow() from error
    if event["type"] == "http.disconnect":
        raise ClientDisconnect()
    return event.get("body", b""), event.get("more_body", False)


async def _within(within_s: float, begun: Begun[Message]) -> Message:
    async with asyncio.timeout(within_s):
        event: Message = await begun
        return event
