"""Edges without JavaScript: what can be decided here, and what a host must be asked (jobs-and-runtime §2.3)."""

from __future__ import annotations

from typing import Literal

from kivuko.workflow import FAILURE_WORDS, SUCCESS_WORDS, Edge, Node

__all__ = ["decided_here", "edges_to_ask"]


def edges_to_ask(node: Node) -> tuple[tuple[str, str | Literal[True]], ...]:
    """The edges of a node that may be followed, as a host takes them: target, and True or the text of the condition."""
    return tuple((edge.target, True if edge.word is True else str(edge.word)) for edge in node.edges if edge.may_be_followed)


def decided_here(node: Node, state: bytes | None) -> tuple[str, ...] | None:
    """The targets of the edges that are followed from a Trigger, or None when a host must be asked.

    Constant conditions need nothing. Whether a step failed is plain as long as the state has no ``errors`` anywhere.
    """
    decisions = [(edge.target, _decision(edge, state)) for edge in node.edges if edge.may_be_followed]
    if any(decision is None for _, decision in decisions):
        return None
    return tuple(target for target, decision in decisions if decision)


def _decision(edge: Edge, state: bytes | None) -> bool | None:
    if edge.word is True:
        return True
    if b'"errors"' in (state or b"") or b"\\u" in (state or b""):
        return None
    return True if edge.word in SUCCESS_WORDS else False if edge.word in FAILURE_WORDS else None
