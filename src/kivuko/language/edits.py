"""Byte-range edits of a text: what is inserted, overwritten or moved, and the pieces that come out."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

from kivuko.language.source import SourceText

__all__ = ["Copy", "Edit", "Piece", "Side", "blank", "insertions_of", "place_of", "render", "stripped", "text_of", "within"]


class Side:
    """The order of edits at one place: what closes, inner before outer; what opens, outer before inner; then what replaces."""

    CLOSE_ARROW = 0
    CLOSE_CHAIN = 1
    CLOSE_OPERATION = 2
    OPEN_OPERATION = 3
    OPEN_CHAIN = 4
    OPEN_ARROW = 5
    REPLACE = 6


class Copy(NamedTuple):
    """A byte range of the author's text, copied as it is."""

    start: int
    end: int


Piece = Copy | str


class Edit(NamedTuple):
    """Replaces the bytes from ``start`` to ``end`` by pieces."""

    start: int
    end: int
    pieces: tuple[Piece, ...]
    side: int = Side.REPLACE


place_of: Callable[[Edit], tuple[int, int]] = itemgetter(0, 3)
"""Where an edit stands among others: its start and its side."""


def blank(source: SourceText, start: int, end: int, text: str = "") -> Edit:
    """Overwrites a range by ``text`` and spaces: as wide as before in UTF-16 units, with the same line ends."""
    old = source.slice(start, end)
    if old.isalnum():
        white = " " * source.units(start, end)
    else:
        white = re.sub(r"[^\n\r\u2028\u2029]", lambda match: " " if match.group() <= "\uffff" else "  ", old)
    return Edit(start, end, (text + white[len(text) :],))


def render(edits: Sequence[Edit], start: int, end: int) -> list[Piece]:
    """The pieces of a range. ``edits`` are sorted by key and do not overlap; each lies inside the range or outside."""
    pieces: list[Piece] = []
    for edit in edits[slice(*within(edits, start, end))]:
        if edit.start > start:
            pieces.append(Copy(start, edit.start))
        pieces.extend(edit.pieces)
        start = edit.end
    if end > start:
        pieces.append(Copy(start, end))
    return pieces


def within(edits: Sequence[Edit], start: int, end: int) -> tuple[int, int]:
    """The slice of sorted edits that lie inside a range: not what closes at its start, nor what opens at its end."""
    low = bisect_left(edits, (start, Side.OPEN_OPERATION), key=place_of)
    return low, bisect_left(edits, (end, Side.OPEN_OPERATION), key=place_of)


def stripped(data: bytes, pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces without white space at the beginning and the end."""
    kept = list(pieces)
    while kept and isinstance(first := kept[0], Copy):
        text = data[first.start : first.end]
        kept[0:1] = [Copy(first.end - len(text.lstrip()), first.end)] if text.strip() else []
        if text.strip():
            break
    while kept and isinstance(last := kept[-1], Copy):
        text = data[last.start : last.end]
        kept[-1:] = [Copy(last.start, last.start + len(text.rstrip()))] if text.strip() else []
        if text.strip():
            break
    return kept


def text_of(source: SourceText, pieces: Iterable[Piece]) -> str:
    """The text that pieces make."""
    data = source.data
    return "".join(piece if isinstance(piece, str) else data[piece.start : piece.end].decode() for piece in pieces)


def insertions_of(source: SourceText, edits: Sequence[Edit]) -> tuple[tuple[int, int, int], ...]:
    """For edits that only widen their line: (1-based line, 0-based column in the edited line, length), UTF-16 units, in order.

    A column of the edited line at or after ``column + length`` lies ``length`` further right than in the author's line.
    """
    found: list[tuple[int, int, int]] = []
    starts = [*source.line_starts, len(source.data) + 1]
    line = place = column = shift = 0
    for edit in edits:
        added = sum([_units(piece) for piece in edit.pieces if isinstance(piece, str)])
        added -= source.units(edit.start, edit.end) if edit.end > edit.start else 0
        if added <= 0:
            continue
        if edit.end >= starts[line]:
            while edit.end >= starts[line]:
                line += 1
            place, column, shift = starts[line - 1], 0, 0
        column += source.units(place, edit.end)  # from edit to edit: a line can be as long as the text
        place = edit.end
        found.append((line, column + shift, added))
        shift += added
    return tuple(found)


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
