"""What leaves the top level when operations move into the default export."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from tree_sitter import Node

from kivuko.language.statements import OperationCall, Statements

__all__ = ["Cut", "cuts_of"]

BREAK = re.compile(rb"[ \t]*(?:\r\n|\n|\r)?")
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
    previous: Node | None = None
    for node, comments in _with_comments(statements):
        if node.start_byte not in moved:
            previous = node
            continue
        for part in (*comments, node):
            end = _eaten(data, part.end_byte)
            instead = ";" if part is node and _would_join(data, previous, end) else ""
            cuts.append(Cut(part.start_byte, end, instead))
    return sorted(cuts, key=lambda cut: cut.start)


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


def _eaten(data: bytes, end: int) -> int:
    match = BREAK.match(data, end)
    return match.end() if match else end


def _would_join(data: bytes, previous: Node | None, end: int) -> bool:
    """Whether the statements around a cut would run into one, because the first lacks its semicolon."""
    if previous is None or data[previous.end_byte - 1 : previous.end_byte] == b";":
        return False
    following = VISIBLE.search(data, end)
    return following is not None and data[following.start()] in JOINS
