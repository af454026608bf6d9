"""Whether the structure of a workflow makes sense (jobs-and-runtime §2.2; the texts are OpenFn's)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kivuko.errors import CircularDependency, PlanError, UnknownStart, UnknownTarget
from kivuko.workflow.edge import Edge
from kivuko.workflow.execution import ExecutionPlan
from kivuko.workflow.workflow import Workflow

__all__ = ["UNREADABLE_CONDITION", "edge_failure", "validate"]

UNREADABLE_CONDITION = "the condition is neither true, false nor a text"


def validate(plan: ExecutionPlan) -> None:
    """Accepts a plan whose structure is sound.

    Raises UnknownStart, UnknownTarget, CircularDependency, or PlanError for an end that does not exist (OpenFn ignores it) and for edges
    whose condition is none (all of them in one error). Every kind of edge counts, disabled ones too. That conditions and expressions
    compile is not looked at here.
    """
    nodes = plan.workflow.by_id()
    if plan.start not in nodes:
        raise UnknownStart(f"Could not find start job: {plan.start}", fix=_choices(nodes))
    if plan.options.end and plan.options.end not in nodes:
        raise PlanError(f"Could not find end job: {plan.options.end}", fix=_choices(nodes))
    for node, edge in plan.workflow.edges():
        if edge.target not in nodes:
            raise UnknownTarget(f"Cannot find job: {edge.target}", details=f"An edge of step {node.id} leads there.", fix=_choices(nodes))
    _refuse_circles(plan.workflow)
    unreadable = [edge_failure(node.id, edge, UNREADABLE_CONDITION) for node, edge in plan.workflow.edges() if edge.condition is None]
    if unreadable:
        raise PlanError("\n\n".join(unreadable))


def edge_failure(source: str, edge: Edge, reason: str) -> str:
    """What people read when the condition of an edge is no program."""
    return f"Failed to compile edge condition {source}->{edge.target} ({reason})"


def _choices(ids: Mapping[str, object]) -> str:
    return f"Use one of: {', '.join(ids)}."


def _refuse_circles(workflow: Workflow) -> None:
    targets = {node.id: [edge.target for edge in node.edges] for node in workflow.nodes}
    for node in _on_circles(targets):
        last = _last_before(targets, node)
        if last is not None:
            raise CircularDependency(f"Circular dependency: {last} <-> {node}")


def _on_circles(targets: Mapping[str, list[str]]) -> list[str]:
    """The nodes that remain when all without an incoming edge have been taken away, again and again; in order."""
    incoming = dict.fromkeys(targets, 0)
    for leaving in targets.values():
        for target in leaving:
            incoming[target] += 1
    free = [node for node, count in incoming.items() if not count]
    for node in free:
        for target in targets[node]:
            incoming[target] -= 1
            if not incoming[target]:
                free.append(target)
    return [node for node, count in incoming.items() if count]


def _last_before(targets: Mapping[str, list[str]], start: str) -> str | None:
    """The last node of the first way from ``start`` back to itself, depth first in the order of the edges."""
    seen = {start}
    path: list[tuple[str, Iterator[str]]] = [(start, iter(targets[start]))]
    while path:
        node, remaining = path[-1]
        target = next(remaining, None)
        if target is None:
            path.pop()
        elif target == start:
            return node
        elif target not in seen:
            seen.add(target)
            path.append((target, iter(targets[target])))
    return None
