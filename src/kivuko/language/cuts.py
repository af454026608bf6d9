"""What leaves the top level when operations move into the default export."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from tree_sitter import Node

from kivuko.language.statements import OperationCall, Statements

__all__ = ["Cut", "cuts_of"]

SPACE = re.compile(rb"[ \t]*")
REST_OF_LINE = re.compile(rb"[ \t]*(?:\r\n|\n|\r)?")
LINE_END = re.compile(rb"[\n\r]")
VISIBLE = re.compile(rb"\S")
JOINS = frozenset(b"([`+-*/.,%&|^<>=?")


class Cut(NamedTuple):
    """A byte range that goes, and what stands there instead."""

    start: int
    end: int
    instead: str = ""


def cuts_of(data: bytes, statements: Statements, operations: Sequence[OperationCall]) -> list[Cut]:
    """The ranges of moved operations with the comments that belong to them, in order.

    As in the reference, a comment belongs to the statement after it, the last ones to the last statement.
    """
    moved = {operation.statement.start_byte for operation in operations}
    cuts: list[Cut] = []
    kept = _Kept(data)
    for node, comments in _with_comments(statements):
        if node.start_byte not in moved:
            kept = _Kept(data, node)
            continue
        for part in (*comments, node):
            end = kept.pass_over(part)
            cuts.append(Cut(part.start_byte, end, ";" if part is node and kept.would_join(end) else ""))
    return sorted(cuts)


class _Kept:
    """What stays between the last statement that stays and the next one."""

    def __init__(self, data: bytes, previous: Node | None = None) -> None:
        self.data = data
        self.place = 0 if previous is None else previous.end_byte
        self.is_closed = previous is None or data[self.place - 1 : self.place] == b";"
        self.same_line = previous is not None

    def pass_over(self, part: Node) -> int:
        """The end of a cut: white space behind a part goes too, and the line end if nothing else stays on the line."""
        if LINE_END.search(self.data, self.place, part.start_byte):
            self.same_line = False
        match = (SPACE if self.same_line else REST_OF_LINE).match(self.data, part.end_byte)
        self.place = match.end() if match else part.end_byte
        return self.place

    def would_join(self, end: int) -> bool:
        """Whether the statements around a cut would run into one, because the first lacks its semicolon."""
        following = VISIBLE.search(self.data, end)
        if self.is_closed or following is None:
            return False
        on_this_line = self.same_line and LINE_END.search(self.data, end, following.start()) is None
        return on_this_line or self.data[following.start()] in JOINS


def _with_comments(statements: Statements) -> list[tuple[Node, list[Node]]]:
    waiting = list(reversed(statements.comments))
    found: list[tuple[Node, list[Node]]] = []
    for node in statements.nodes:
        mine = []
        while waiting and waiting[-1].start_byte < node.start_byte:
            mine.append(waiting.pop())
        found.append((node, mine))
    if found:
        found[-1][1].extend(reversed(waiting))
    return found
