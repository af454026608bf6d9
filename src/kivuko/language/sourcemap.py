"""Source maps of version 3 (ECMA-426) for texts that are made of pieces of one source."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from kivuko.language.edits import Copy, Piece
from kivuko.language.source import SourceText

__all__ = ["Segment", "mappings_of", "read_mappings"]

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
TOKEN = re.compile(r"\r\n|[\n\r\u2028\u2029]|[\w$]+|[^\w\s]")
LINE_ENDS = frozenset({"\r\n", "\n", "\r", "\u2028", "\u2029"})


class Segment(NamedTuple):
    """Where a piece of a line comes from. Lines and columns count from 0, columns in UTF-16 units; ``source`` is the number of the text."""

    column: int
    source: int
    line: int
    source_column: int


def read_mappings(mappings: str) -> tuple[tuple[Segment, ...], ...]:
    """The segments of each line that have a source. Raises ValueError for what is no ``mappings`` of a source map."""
    source = line = source_column = 0
    lines = []
    for text in mappings.split(";"):
        column, segments = 0, []
        for segment in filter(None, text.split(",")):
            fields = _numbers(segment)
            column += fields[0]
            if len(fields) >= 4:
                source, line, source_column = source + fields[1], line + fields[2], source_column + fields[3]
            if min(column, source, line, source_column) < 0:
                raise ValueError(f"{segment} leads before the beginning")
            if len(fields) >= 4:
                segments.append(Segment(column, source, line, source_column))
        lines.append(tuple(segments))
    return tuple(lines)


def mappings_of(source: SourceText, pieces: Iterable[Piece]) -> str:
    """The ``mappings`` of a text made of ``pieces``: one segment per copied word or sign, which is where V8 points, in UTF-16 columns."""
    writer = _Writer()
    for piece in pieces:
        if isinstance(piece, Copy):
            writer.copy(source.slice(piece.start, piece.end), *source.position(piece.start))
        else:
            writer.insert(piece)
    return writer.text()


class _Writer:
    def __init__(self) -> None:
        self.lines: list[list[str]] = [[]]
        self.column = 0
        self.last = (0, 0, 0)  # output column, source line, source column of the segment before

    def insert(self, text: str) -> None:
        for token in re.split(r"(\r\n|[\n\r\u2028\u2029])", text):
            if token in LINE_ENDS:
                self._break()
            else:
                self.column += _units(token)

    def copy(self, text: str, line: int, column: int) -> None:
        done = 0
        for match in TOKEN.finditer(text):
            gap, token = text[done : match.start()], match.group()
            self.column += len(gap)
            column += len(gap)
            if token in LINE_ENDS:
                self._break()
                line, column = line + 1, 0
            else:
                self._segment(line - 1, column)
                width = _units(token)
                self.column += width
                column += width
            done = match.end()
        self.column += len(text) - done

    def text(self) -> str:
        return ";".join(",".join(line) for line in self.lines)

    def _break(self) -> None:
        self.lines.append([])
        self.column = 0
        self.last = (0, *self.last[1:])

    def _segment(self, line: int, column: int) -> None:
        before, old_line, old_column = self.last
        self.lines[-1].append(_vlq(self.column - before) + "A" + _vlq(line - old_line) + _vlq(column - old_column))
        self.last = (self.column, line, column)


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def _vlq(number: int) -> str:
    rest = (-number << 1) | 1 if number < 0 else number << 1
    digits = ""
    while True:
        digit, rest = rest & 31, rest >> 5
        digits += DIGITS[digit | 32 if rest else digit]
        if not rest:
            return digits


def _numbers(segment: str) -> list[int]:
    found, number, shift = [], 0, 0
    for sign in segment:
        digit = DIGITS.index(sign)
        number += (digit & 31) << shift
        shift += 5
        if not digit & 32:
            found.append(-(number >> 1) if number & 1 else number >> 1)
            number = shift = 0
    if shift:
        raise ValueError(f"{segment} is not complete")
    return found
