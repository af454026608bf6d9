"""A workflow: jobs and triggers joined by edges."""

from __future__ import annotations

from collections.abc import Mapping

from kivuko.value import fresh, value
from kivuko.workflow.edge import Edge
from kivuko.workflow.job import Job
from kivuko.workflow.trigger import Trigger

__all__ = ["Node", "Workflow"]

Node = Job | Trigger
"""What an edge can lead to."""


@value
class Workflow:
    """Jobs and triggers in the order of the plan.

    ``start`` is the id where an execution begins unless its options say otherwise. ``globals`` is the source text of a module whose
    exports every job sees. ``credentials`` is configuration that every job gets. ``extra`` keeps unknown keys. ``repeated_ids`` are those
    that several steps of the plan had: the last of each is here, as in OpenFn.
    """

    nodes: tuple[Node, ...]
    id: str | None = None
    name: str | None = None
    start: str | None = None
    globals: str | None = None
    credentials: Mapping[str, object] | None = None
    extra: Mapping[str, object] = fresh(factory=dict)
    repeated_ids: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Without credentials: what is printed may end in a log."""
        return f"Workflow(id={self.id!r}, name={self.name!r}, nodes={self.nodes!r})"

    @property
    def title(self) -> str | None:
        """What people read: the name, or the id, or None."""
        return self.name or self.id

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs, in order."""
        return tuple(node for node in self.nodes if isinstance(node, Job))

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        """The triggers, in order."""
        return tuple(node for node in self.nodes if isinstance(node, Trigger))

    def by_id(self) -> dict[str, Node]:
        """Every node under its id."""
        return {node.id: node for node in self.nodes}

    def edges(self) -> tuple[tuple[Node, Edge], ...]:
        """Every edge with the node that it leaves."""
        return tuple((node, edge) for node in self.nodes for edge in node.edges)

    def upstream_of(self, target: str) -> Node | None:
        """The first node with an edge to ``target``, or None."""
        return next((node for node, edge in self.edges() if edge.target == target), None)
