"""Promise chains on operations: ``fn().then(f)`` (jobs-and-runtime §1.5; OpenFn compiler: promises)."""

from __future__ import annotations

from typing import NamedTuple

from tree_sitter import Node

from kivuko.language.lazy import LazyState
from kivuko.language.survey import CHAIN_WORDS, MEMBERS, Frame, Survey
from kivuko.language.syntax import has_template_arguments, is_real_call, unwrapped

__all__ = ["AdjacentCatch", "Chain", "find_chains"]

FUNCTION_LITERALS = frozenset({"function_expression", "generator_function", "arrow_function", "await_expression", "class"})


class AdjacentCatch(NamedTuple):
    """A ``.catch(f)`` directly after the operation. ``words`` are the ranges of ``.catch`` or ``['catch']``, ``bracket`` opens its
    arguments, ``first`` is the first argument's range, ``end`` lies after its closing bracket."""

    words: tuple[tuple[int, int], ...]
    bracket: int
    first: tuple[int, int] | None
    end: int


class Chain(NamedTuple):
    """A chain from ``start`` to ``end``; its operation ends at ``root_end``. ``brackets`` are single bytes of parentheses around parts of
    the chain, which go."""

    start: int
    root: Node
    root_end: int
    end: int
    brackets: tuple[int, ...]
    catch: AdjacentCatch | None


def find_chains(survey: Survey, lazy: LazyState) -> tuple[Chain, ...]:
    """The chains of a job that are rewritten, in order of their starts."""
    chains: dict[int, Chain] = {}
    seen: set[int] = set()
    for member in survey.links:
        call = member.parent
        assert call is not None
        if call.node.id in seen or has_template_arguments(call.node):
            continue
        chain, outermost = _chain(member, call, seen)
        if chain is None or lazy.covers(chain.start, chain.end):
            continue
        _drop_inner(chains, chain.root)
        chains[outermost.id] = chain
    return tuple(sorted(chains.values(), key=lambda chain: chain.start))


def _chain(member: Frame, call: Frame, seen: set[int]) -> tuple[Chain | None, Node]:
    top, brackets, first_end = call, [], call.node.end_byte
    seen.add(call.node.id)
    while (link := _next_link(top)) is not None:
        outer, parentheses = link
        if top is call and parentheses:
            first_end = parentheses[-1].end_byte
        for node in parentheses:
            brackets += [node.start_byte, node.end_byte - 1]
        seen.add(outer.node.id)
        top = outer
    root = member.node.child_by_field_name("object")
    if root is None or not _is_operation(unwrapped(root)):
        return None, top.node
    catch = _adjacent_catch(member.node, call.node, first_end)
    return Chain(top.node.start_byte, root, root.end_byte, top.node.end_byte, tuple(sorted(brackets)), catch), top.node


def _next_link(call: Frame) -> tuple[Frame, list[Node]] | None:
    """The call of the next ``.then``, ``.catch`` or ``.finally`` on a call, and the parentheses between."""
    parentheses = []
    child, above = call, call.parent
    while above is not None and above.kind == "parenthesized_expression":
        parentheses.append(above.node)
        child, above = above, above.parent
    if above is None or above.kind not in MEMBERS or child.field != "object" or above.field != "function":
        return None
    outer = above.parent
    if outer is None or outer.kind != "call_expression" or has_template_arguments(outer.node) or _word(above.node) not in CHAIN_WORDS:
        return None
    return outer, parentheses


def _word(member: Node) -> str:
    name = member.child_by_field_name("property")
    if name is None:
        index = member.child_by_field_name("index")
        name = index.named_children[0] if index is not None and index.type == "string" and index.named_child_count == 1 else None
    return "" if name is None else (name.text or b"").decode()


def _is_operation(root: Node) -> bool:
    if root.type == "new_expression":
        return True
    if not is_real_call(root):
        return False
    function = root.child_by_field_name("function")
    return function is not None and unwrapped(function).type not in FUNCTION_LITERALS


def _adjacent_catch(member: Node, call: Node, end: int) -> AdjacentCatch | None:
    if _word(member) != "catch":
        return None
    arguments = call.child_by_field_name("arguments")
    assert arguments is not None
    words = [child for child in member.children[1:] if child.type != "comment"]
    given = [child for child in arguments.named_children if child.type != "comment"]
    first = (given[0].start_byte, given[0].end_byte) if given else None
    optional = call.child_by_field_name("optional_chain")
    words += [optional] if optional is not None else []
    return AdjacentCatch(tuple((word.start_byte, word.end_byte) for word in words), arguments.start_byte, first, end)


def _drop_inner(chains: dict[int, Chain], root: Node) -> None:
    """Takes back the chain, if any, on the way down from an operation to its base: the outer one is the chain that counts."""
    node: Node | None = root
    while node is not None and node.id not in chains:
        node = node.child_by_field_name("function") or node.child_by_field_name("object") or _inner(node)
    if node is not None:
        del chains[node.id]


def _inner(node: Node) -> Node | None:
    inner = unwrapped(node)
    return None if inner == node else inner
