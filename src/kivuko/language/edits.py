"""Byte-range edits of a text: what is inserted, overwritten or moved, and the pieces that come out."""

from __future__ import annotations

import enum
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kivuko.language.source import SourceText

__all__ = ["Copy", "Edit", "Piece", "Side", "blank", "insertions_of", "render", "text_of"]

NOT_LINE_END = re.compile(r"[^\n\r\u2028\u2029]")


class Side(enum.IntEnum):
    """The order of edits at one place: what closes, inner before outer; what opens, outer before inner; then what replaces."""

    CLOSE_ARROW = 0
    CLOSE_CHAIN = 1
    CLOSE_OPERATION = 2
    OPEN_OPERATION = 3
    OPEN_CHAIN = 4
    OPEN_ARROW = 5
    REPLACE = 6


@dataclass(frozen=True, slots=True)
class Copy:
    """A byte range of the author's text, copied as it is."""

    start: int
    end: int


Piece = Copy | str


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces the bytes from ``start`` to ``end`` by pieces."""

    start: int
    end: int
    pieces: tuple[Piece, ...]
    side: Side = Side.REPLACE

    @property
    def key(self) -> tuple[int, int, int]:
        """Where the edit stands among others."""
        return self.start, self.side, self.end


def blank(source: SourceText, start: int, end: int, text: str = "") -> Edit:
    """Overwrites a range by ``text`` and spaces: as wide as before in UTF-16 units, with the same line ends."""
    old = source.slice(start, end)
    white = NOT_LINE_END.sub(lambda match: " " if match.group() <= "\uffff" else "  ", old)
    return Edit(start, end, (text + white[len(text) :],))


def render(edits: Sequence[Edit], start: int, end: int) -> list[Piece]:
    """The pieces of a range. ``edits`` are sorted by key, do not overlap, and those that begin inside the range end inside it."""
    pieces: list[Piece] = []
    index = bisect_left(edits, (start, 0, 0), key=lambda edit: edit.key)
    while index < len(edits) and (edit := edits[index]).end <= end:
        if edit.start > end:
            break
        if edit.start > start:
            pieces.append(Copy(start, edit.start))
        pieces.extend(edit.pieces)
        start = edit.end
        index += 1
    if end > start:
        pieces.append(Copy(start, end))
    return pieces


def text_of(source: SourceText, pieces: Iterable[Piece]) -> str:
    """The text that pieces make."""
    data = source.data
    return "".join(piece if isinstance(piece, str) else data[piece.start : piece.end].decode() for piece in pieces)


def insertions_of(source: SourceText, edits: Sequence[Edit]) -> tuple[tuple[int, int, int], ...]:
    """For edits that only widen their line: (1-based line, 0-based column in the edited line, length), UTF-16 units, in order.

    A column of the edited line at or after ``column + length`` lies ``length`` further right than in the author's line.
    """
    found: list[tuple[int, int, int]] = []
    line = shift = 0
    for edit in edits:
        added = sum(len(piece.encode("utf-16-le")) // 2 for piece in edit.pieces if isinstance(piece, str))
        width = source.units(edit.start, edit.end)
        if added <= width:
            continue
        here, column = source.position(edit.end)
        if here != line:
            line, shift = here, 0
        found.append((line, column + shift, added - width))
        shift += added - width
    return tuple(found)
