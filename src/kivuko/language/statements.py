"""The statements of a job's top level: which calls are operations, what is imported and exported."""

from __future__ import annotations

from typing import NamedTuple

from tree_sitter import Node, Tree

from kivuko.language.syntax import is_real_call, unwrapped
from kivuko.value import value

__all__ = ["OperationCall", "Statements", "read_statements"]


class OperationCall(NamedTuple):
    """A top-level call: its statement, the expression with any parentheses, and the call itself."""

    statement: Node
    expression: Node
    call: Node


@value
class Statements:
    """Program's children without comments. ``default`` is the statement that exports a default; ``array`` its array where the program ends
    with ``export default [ … ]``. ``calls`` are all top-level calls; they are operations only if nothing but an array is exported."""

    nodes: tuple[Node, ...]
    comments: tuple[Node, ...]
    hashbang: Node | None
    default: Node | None
    array: Node | None
    calls: tuple[OperationCall, ...]

    @property
    def operations(self) -> tuple[OperationCall, ...]:
        """The calls that become operations (§1.7)."""
        return self.calls if self.default is None or self.array is not None else ()


def read_statements(tree: Tree) -> Statements:
    """Sorts the top level of a program."""
    nodes, comments, calls = [], [], []
    hashbang = default = None
    for node in tree.root_node.children:
        if node.type == "comment":
            comments.append(node)
            continue
        if node.type == "hash_bang_line":
            hashbang = node
            continue
        nodes.append(node)
        if node.type == "export_statement" and default is None and exports_default(node):
            default = node
        elif node.type == "expression_statement" and (call := _operation_call(node)) is not None:
            calls.append(call)
    array = _array(default) if default is not None and nodes[-1] == default else None
    return Statements(tuple(nodes), tuple(comments), hashbang, default, array, tuple(calls))


def exports_default(statement: Node) -> bool:
    """Whether an export statement exports the name ``default``."""
    for child in statement.children:
        if child.type == "default":
            return True
        if child.type == "export_clause":
            return any(_is_default(name) for name in child.named_children if name.type == "export_specifier")
    return False


def _is_default(specifier: Node) -> bool:
    name = specifier.child_by_field_name("alias") or specifier.child_by_field_name("name")
    return name is not None and name.text == b"default"


def _array(statement: Node) -> Node | None:
    value = statement.child_by_field_name("value")
    array = None if value is None else unwrapped(value)
    return array if array is not None and array.type == "array" else None


def _operation_call(statement: Node) -> OperationCall | None:
    expression = next((child for child in statement.named_children if child.type != "comment"), None)
    if expression is None:
        return None
    call = unwrapped(expression)
    return OperationCall(statement, expression, call) if is_real_call(call) and not _has_optional_spine(call) else None


def _has_optional_spine(node: Node) -> bool:
    """Whether a call or member expression is what ESTree calls a ChainExpression; parentheses end one."""
    current: Node | None = node
    while current is not None and current.type in ("call_expression", "member_expression", "subscript_expression"):
        if current.child_by_field_name("optional_chain") is not None:
            return True
        current = current.child_by_field_name("function") or current.child_by_field_name("object")
    return False
