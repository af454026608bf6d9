"""Taking gzip off a body while it streams in, with bounds: a bomb is noticed before it is in memory (RFC 1952)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from kivuko.errors import BodyTooLarge, MalformedBody, UnsupportedMediaType

__all__ = ["Inflater", "inflater_for"]

_GZIP = 31
_PIECE_BYTES = 256 * 1024
_FREE_BYTES = 1024 * 1024
_MOST_RATIO = 250
"""Up to 1 MiB may come of anything. Above it real data stays far below this ratio; gzip's own bound, which bombs reach, is 1 032."""


class Inflater:
    """Takes gzip off, piece by piece: never more than 256 KiB at once."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP)
        self._began = False
        self._taken_bytes = 0
        self._given_bytes = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What a chunk holds. Raises MalformedBody, or BodyTooLarge for what only a bomb does."""
        self._taken_bytes += len(chunk)
        more = bool(chunk)
        while more:
            if self._stream.eof:
                # Several members make one body (RFC 1952 §2.2).
                self._stream = zlib.decompressobj(_GZIP)
            piece = self._decompress(chunk)
            if piece:
                yield piece
            chunk = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            # A full piece may have left output behind although all input is taken.
            more = bool(chunk) or (len(piece) == _PIECE_BYTES and not self._stream.eof)

    def _decompress(self, chunk: bytes) -> bytes:
        self._began = True
        try:
            piece = self._stream.decompress(chunk, _PIECE_BYTES)
        except zlib.error as error:
            raise MalformedBody("the body is not the gzip that its content encoding promises") from error
        self._given_bytes += len(piece)
        if self._given_bytes > max(_FREE_BYTES, _MOST_RATIO * self._taken_bytes):
            raise BodyTooLarge(f"the body grows more than {_MOST_RATIO} times when it is unpacked", fix="Send it without compression.")
        return piece

    def finish(self) -> None:
        """Says that no more comes. Raises MalformedBody when something is missing."""
        if self._began and not self._stream.eof:
            raise MalformedBody("the gzip body ends before its end")


def inflater_for(content_encoding: str | None) -> Inflater | None:
    """What takes the encoding off; None when there is none. Raises UnsupportedMediaType."""
    name = (content_encoding or "identity").strip().lower()
    if name in ("identity", ""):
        return None
    if name in ("gzip", "x-gzip"):
        return Inflater()
    raise UnsupportedMediaType(f"the content encoding {name!r} is not taken", fix="Send gzip, or no encoding.")
