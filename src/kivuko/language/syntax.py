"""Source text → syntax tree; what tree-sitter cannot read is refused or marked as doubtful."""

from __future__ import annotations

import importlib.util
from functools import cache
from importlib.machinery import PathFinder
from time import thread_time

from tree_sitter import Language, Node, Parser, Tree

from kivuko.errors import SourceTooLarge
from kivuko.language.refusal import refuse_error
from kivuko.language.source import MAX_NESTING, SourceText

__all__ = ["has_template_arguments", "is_real_call", "nesting_of_text", "parse", "unwrapped"]

OPENING = ord("(")
ROUND = bytes.maketrans(b"[]{}", b"()()")
NO_BRACKETS = bytes(sign for sign in range(256) if sign not in b"()[]{}")
ROUNDS = 32  # of ordinary programs nothing is left after a dozen

LARGE_BYTES = 1024 * 1024
READ_BYTES = 4096  # also what Node.text copies at least
MAX_PARSE_SECONDS = 20  # a large text full of errors can cost 6 µs a byte; programs cost 0.2 to 0.7


@cache
def _language() -> Language:
    """The grammar, taken from the extension module of its package: the package itself imports importlib.resources, which costs more
    start-up than parsing."""
    package = importlib.util.find_spec("tree_sitter_javascript")
    spec = PathFinder.find_spec("tree_sitter_javascript._binding", package.submodule_search_locations if package else None)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("tree_sitter_javascript is not installed; install Kivuko again", name="tree_sitter_javascript")
    binding = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(binding)
    return Language(binding.language())


def parse(source: SourceText) -> tuple[Tree, bool]:
    """The tree of a job, and whether there are error nodes inside statements (engine.md §4.4): then only V8 can tell.

    Raises JobSyntaxError for an error that is no part of any statement and SourceTooLarge for brackets nested too deeply.
    """
    suspicious = nesting_of_text(source.data) > MAX_NESTING
    tree = _tree(source.data)
    if suspicious and _nesting_of_tree(tree) > MAX_NESTING:
        raise SourceTooLarge(f"The job nests brackets more than {MAX_NESTING} levels deep")
    root = tree.root_node
    if not root.has_error:
        return tree, False
    if (error := _outer_error(tree)) is not None:
        refuse_error(source, error)
    return tree, True


def _tree(data: bytes) -> Tree:
    parser = Parser(_language())  # one for each call: a parser must not be shared by threads
    if len(data) < LARGE_BYTES:
        return parser.parse(data)
    last = thread_time() + MAX_PARSE_SECONDS
    try:
        return parser.parse(
            lambda offset, _: data[offset : offset + READ_BYTES], encoding="utf8", progress_callback=lambda _, __: thread_time() > last
        )
    except ValueError as error:  # how tree-sitter says that it was stopped
        raise SourceTooLarge(f"The job could not be read within {MAX_PARSE_SECONDS} seconds") from error


def _outer_error(tree: Tree) -> Node | None:
    """The first error that is no part of any statement. A cursor, since a broken text can have millions of such children."""
    cursor = tree.walk()
    if tree.root_node.is_error or not cursor.goto_first_child():
        return tree.root_node
    while (node := cursor.node) is not None:
        if node.is_error or node.is_missing:
            return node
        if not cursor.goto_next_sibling():
            break
    return None


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


def nesting_of_text(data: bytes) -> int:
    """How deep brackets are nested at most; 0 of a text that has too few to matter. Taking away all innermost pairs makes it one less."""
    brackets, rounds = data.translate(ROUND, NO_BRACKETS), 0
    if brackets.count(b"(") <= MAX_NESTING:
        return 0
    while rounds < ROUNDS and len(outer := brackets.replace(b"()", b"")) < len(brackets):
        brackets, rounds = outer, rounds + 1
    depth = deepest = 0
    for sign in brackets:
        if sign == OPENING:
            depth += 1
            deepest = max(deepest, depth)
        elif depth:
            depth -= 1
    return rounds + deepest


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
