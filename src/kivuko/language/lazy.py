"""Lazy state: ``get($.a)`` → ``get(state => state.a)`` (jobs-and-runtime §1.4; OpenFn compiler: lazy-state)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from tree_sitter import Node

from kivuko.errors import LazyStateError
from kivuko.language.edits import Edit, Side
from kivuko.language.source import SourceText
from kivuko.language.survey import MEMBERS, Frame, Leaf, Survey
from kivuko.language.syntax import is_real_call, unwrapped

__all__ = ["LazyState", "resolve_lazies"]

DETAILS = (
    "$ reads the state at the moment when an operation runs, so it can only stand in the arguments of an operation, as in get($.data.url). "
    "In other statements there is no state to read."
)
ENDS = frozenset({"program", "statement_block", "class_declaration", "export_statement", "lexical_declaration", "variable_declaration"})


class LazyState(NamedTuple):
    """The edits that make ``$`` work, and the ranges that became arrows, outermost first, in order."""

    edits: tuple[Edit, ...]
    arrows: tuple[tuple[int, int], ...]

    def covers(self, start: int, end: int) -> bool:
        """Whether a range lies inside one of the new arrows."""
        index = bisect_right(self.arrows, start, key=lambda arrow: arrow[0])
        return index > 0 and end <= self.arrows[index - 1][1]


def resolve_lazies(source: SourceText, survey: Survey) -> LazyState:
    """Decides every ``$`` of a job. Raises LazyStateError where no operation can read the state."""
    return _Resolver(source, survey).run()


class _Resolver:
    def __init__(self, source: SourceText, survey: Survey) -> None:
        self.source = source
        self.survey = survey
        self.edits: list[Edit] = []
        self.wrapped: dict[int, Node] = {}
        self.lazy_calls: set[int] = set()
        self.settled: dict[Frame, Node] = {}

    def run(self) -> LazyState:
        for leaf in self.survey.lazies:
            if self.survey.scopes.is_held(leaf.parent.scope, "$"):
                continue
            self.edits.append(Edit(leaf.node.start_byte, leaf.node.end_byte, ("state",)))
            argument = self._argument(leaf)
            if argument.id not in self.wrapped and not self._is_arrow(argument):
                self.wrapped[argument.id] = argument
        for node in self.wrapped.values():
            self._wrap(node)
        return LazyState(tuple(self.edits), _outermost(self.wrapped.values()))

    def _wrap(self, node: Node) -> None:
        braces = self.source.data[node.start_byte : node.start_byte + 1] == b"{"
        self.edits.append(Edit(node.start_byte, node.start_byte, ("state => (" if braces else "state => ",), Side.OPEN_ARROW))
        if braces:
            self.edits.append(Edit(node.end_byte, node.end_byte, (")",), Side.CLOSE_ARROW))

    def _argument(self, leaf: Leaf) -> Node:
        """The argument of the nearest call that is evaluated too early; for ``$.f()`` at top level, that call itself."""
        node, name, frame = leaf.node, leaf.field, leaf.parent
        path: list[Frame] = []
        last_call: Node | None = None
        while frame not in self.settled:
            path.append(frame)
            if frame.kind in ENDS or frame.kind.endswith("_statement"):
                if last_call is None:
                    raise self._misplaced(leaf)
                found = last_call
                break
            if frame.kind == "arguments" and (call := frame.parent) is not None and is_real_call(call.node):
                if not self._is_lazy_call(call.node):
                    path.pop()  # each argument of a call has an arrow of its own
                    found = self._checked(node)
                    break
                last_call = call.node
            elif frame.kind == "call_expression" and name == "function" and is_real_call(frame.node):
                self.lazy_calls.add(frame.node.id)
                last_call = frame.node
                path.clear()  # arguments of this call reach it by another way
            node, name = frame.node, frame.field
            assert frame.parent is not None
            frame = frame.parent
        else:
            found = self.settled[frame]
        for passed in path:
            self.settled[passed] = found
        return found

    def _is_lazy_call(self, call: Node) -> bool:
        """Whether a call runs inside the arrow already: ``$.list.map(…)``, ``state.f(…)``."""
        if call.id in self.lazy_calls:
            return True
        function = call.child_by_field_name("function")
        if function is None or function.type not in MEMBERS:
            return False
        base = function.child_by_field_name("object")
        return base is not None and base.type == "identifier" and base.text == b"state"

    def _checked(self, argument: Node) -> Node:
        if argument.type == "spread_element":
            raise self._error("$ cannot be spread into the arguments of an operation", argument)
        arrow = unwrapped(argument)
        if arrow.type == "arrow_function":
            self._check_arrow(arrow)
        return argument

    def _is_arrow(self, argument: Node) -> bool:
        return unwrapped(argument).type == "arrow_function"

    def _check_arrow(self, arrow: Node) -> None:
        parameter = arrow.child_by_field_name("parameter")
        if parameter is None:
            several = arrow.child_by_field_name("parameters")
            names = [] if several is None else [child for child in several.named_children if child.type != "comment"]
            if len(names) != 1:
                raise self._error("parent has wrong arity", arrow)
            parameter = names[0]
        name = (parameter.text or b"").decode()
        if name != "state":
            raise self._error(f'parameter "{name}" should be called "state"', arrow)

    def _misplaced(self, leaf: Leaf) -> LazyStateError:
        node, name, frame = leaf.node, leaf.field, leaf.parent
        chain = node
        while frame.kind == "parenthesized_expression" or (frame.kind in MEMBERS and name == "object"):
            node, name = frame.node, frame.field
            chain = node if frame.kind in MEMBERS else chain
            assert frame.parent is not None
            frame = frame.parent
        return self._error("Must be inside an operation", chain, DETAILS)

    def _error(self, words: str, node: Node, details: str = "") -> LazyStateError:
        line, column = self.source.position(node.start_byte)
        return LazyStateError(f"Lazy State Error: {words} ({line}:{column})", line=line, column=column, details=details)


def _outermost(nodes: Iterable[Node]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for start, end in sorted((node.start_byte, node.end_byte) for node in nodes):
        if not found or end > found[-1][1]:
            found.append((start, end))
    return tuple(found)
