"""Source text → syntax tree; what tree-sitter cannot read is refused or marked as doubtful."""

from __future__ import annotations

import re
from functools import cache

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser, Tree

from kivuko.errors import SourceTooLarge
from kivuko.language.refusal import refuse_error
from kivuko.language.source import MAX_NESTING, SourceText

__all__ = ["has_template_arguments", "is_real_call", "parse", "unwrapped"]

OPENING = frozenset(b"[({")


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_javascript.language()))


def parse(source: SourceText) -> tuple[Tree, bool]:
    """The tree of a job, and whether there are error nodes inside statements (engine.md §4.4): then only V8 can tell.

    Raises JobSyntaxError for an error that is no part of any statement and SourceTooLarge for brackets nested too deeply.
    """
    suspicious = _nesting_of_text(source.data) > MAX_NESTING
    tree = _parser().parse(source.data)
    if suspicious and _nesting_of_tree(tree) > MAX_NESTING:
        raise SourceTooLarge(f"The job nests brackets more than {MAX_NESTING} levels deep")
    root = tree.root_node
    if not root.has_error:
        return tree, False
    for child in root.children:
        if child.is_error or child.is_missing:
            refuse_error(source, child)
    return tree, True


def unwrapped(node: Node) -> Node:
    """The expression inside any parentheses."""
    while node.type == "parenthesized_expression":
        inner = next((child for child in node.named_children if child.type != "comment"), None)
        if inner is None:
            break
        node = inner
    return node


def has_template_arguments(call: Node) -> bool:
    """Whether a call_expression is a tagged template."""
    arguments = call.child_by_field_name("arguments")
    return arguments is None or arguments.type != "arguments"


def is_real_call(node: Node) -> bool:
    """Whether a node is what ESTree calls a CallExpression: no tagged template, no ``import(…)``."""
    if node.type != "call_expression" or has_template_arguments(node):
        return False
    function = node.child_by_field_name("function")
    return function is not None and function.type != "import"


def _nesting_of_text(data: bytes) -> int:
    if data.count(b"(") + data.count(b"[") + data.count(b"{") <= MAX_NESTING:
        return 0
    depth = deepest = 0
    for match in re.finditer(rb"[\[\](){}]", data):
        if data[match.start()] in OPENING:
            depth += 1
            deepest = max(deepest, depth)
        elif depth:
            depth -= 1
    return deepest


def _nesting_of_tree(tree: Tree) -> int:
    cursor = tree.walk()
    depth = deepest = 0
    brackets: list[bool] = []
    while True:
        node = cursor.node
        if node is not None and cursor.goto_first_child():
            brackets.append(cursor.node is not None and cursor.node.type in ("(", "[", "{", "${"))
            depth += brackets[-1]
            deepest = max(deepest, depth)
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return deepest
            depth -= brackets.pop()
