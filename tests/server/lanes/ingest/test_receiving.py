"""Bodies as they stream in: in memory, in a file without a name, or cut off."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from kivuko.errors import BodyTooLarge, BodyTooSlow, KivukoError, MalformedBody, RecordsUnavailable, UnsupportedMediaType
from kivuko.server.lanes.ingest.receiving import IN_MEMORY_BYTES, Receiving, Spool, receive_body

Headers = list[tuple[bytes, bytes]]

PATIENT = Receiving(patience_s=0.05)


class Line:
    """A connection: gives pieces, counts what was asked for, then hangs up or falls silent."""

    def __init__(self, pieces: Iterable[bytes], *, ends: bool = True, hangs_up: bool = False) -> None:
        self._pieces = list(pieces)
        self._ends, self._hangs_up = ends, hangs_up
        self.read_bytes = 0

    async def receive(self) -> Any:
        """The next event."""
        if self._pieces:
            piece = self._pieces.pop(0)
            self.read_bytes += len(piece)
            return {"type": "http.request", "body": piece, "more_body": bool(self._pieces) or not self._ends}
        if self._hangs_up:
            return {"type": "http.disconnect"}
        return await asyncio.Event().wait()


def received(line: Line, limit_bytes: int = 100, headers: Headers | None = None, receiving: Receiving = PATIENT) -> bytes:
    """The body that comes of a connection."""
    with Spool() as spool:
        asyncio.run(receive_body(headers or [], line.receive, spool, limit_bytes, receiving))
        return spool.read()


def test_a_body_in_pieces_is_whole() -> None:
    assert received(Line([b"a", b"", b"b"])) == b"ab"
    assert received(Line([b""])) == b""


def test_gzip_is_taken_off_on_the_way() -> None:
    packed = gzip.compress(b"x" * 90, mtime=0)
    assert received(Line([packed[:5], packed[5:]]), headers=[(b"content-encoding", b"gzip")]) == b"x" * 90


@pytest.mark.parametrize(
    ("line", "headers", "error"),
    [
        (Line([b"x" * 101]), [], BodyTooLarge),
        (Line([b"x" * 60, b"x" * 60]), [], BodyTooLarge),
        (Line([gzip.compress(b"x" * 101, mtime=0)]), [(b"content-encoding", b"gzip")], BodyTooLarge),
        (Line([gzip.compress(b"x", mtime=0)[:-2]]), [(b"content-encoding", b"gzip")], MalformedBody),
        (Line([b"x"]), [(b"content-encoding", b"br")], UnsupportedMediaType),
        (Line([b"x"], ends=False), [], BodyTooSlow),
    ],
)
def test_what_cannot_be_received_is_refused(line: Line, headers: Headers, error: type[KivukoError]) -> None:
    with pytest.raises(error):
        received(line, headers=headers)


def test_a_body_that_drips_is_not_waited_for_for_ever() -> None:
    line = Line([b"x"] * 50)
    with pytest.raises(BodyTooSlow):
        received(line, receiving=Receiving(patience_s=30, at_most_s=0))


def test_a_sender_that_hangs_up_is_no_message() -> None:
    with pytest.raises(ClientDisconnect):
        received(Line([b"x"], ends=False, hangs_up=True))


def test_a_body_a_little_too_large_is_read_to_its_end_so_that_its_sender_hears_why() -> None:
    line = Line([b"x" * 50] * 20)
    with pytest.raises(BodyTooLarge):
        received(line)
    assert line.read_bytes == 1000


def test_a_body_far_too_large_is_cut_off() -> None:
    line = Line([b"x" * 50] * 100_000)
    with pytest.raises(BodyTooLarge):
        received(line)
    assert line.read_bytes <= 1100


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"1001")],
        [(b"content-length", b"9" * 5000)],
        [(b"content-length", b"101"), (b"expect", b"100-Continue")],
    ],
)
def test_a_length_that_is_too_large_is_refused_before_anything_is_read(headers: Headers) -> None:
    line = Line([b"x"])
    with pytest.raises(BodyTooLarge):
        received(line, headers=headers)
    assert line.read_bytes == 0


@pytest.mark.parametrize("length", [b"100", b"1", b"x", b"-5", "٣".encode(), b""])
def test_other_lengths_are_not_believed(length: bytes) -> None:
    assert received(Line([b"ab"]), headers=[(b"content-length", length)]) == b"ab"


def test_a_large_body_is_in_a_file_that_has_no_name_and_is_gone_afterwards(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        spool.write(b"x" * IN_MEMORY_BYTES)
        assert not spool.in_file
        spool.write(b"y")
        spool.write(b"z")
        assert spool.in_file
        assert list(tmp_path.iterdir()) == []
        assert spool.read() == b"x" * IN_MEMORY_BYTES + b"yz"
        descriptors = len(os.listdir("/proc/self/fd"))
    assert len(os.listdir("/proc/self/fd")) == descriptors - 1


def test_a_folder_that_takes_no_file_sends_the_sender_away(tmp_path: Path) -> None:
    with Spool(tmp_path / "missing") as spool, pytest.raises(RecordsUnavailable, match="no room"):
        spool.write(b"x" * (IN_MEMORY_BYTES + 1))
