"""A job: one expression, the adaptors it uses and the edges that leave it."""

from __future__ import annotations

from collections.abc import Mapping

from kivuko.value import fresh, value
from kivuko.workflow.edge import Edge

__all__ = ["Job", "ModuleLink"]


@value
class ModuleLink:
    """Where a module of a job comes from: a folder or a version (a plan's ``linker``)."""

    path: str | None = None
    version: str | None = None


@value
class Job:
    """What is executed once each time a workflow reaches it.

    ``expression`` is source text (or, until the reader of a file has resolved it, a path). ``configuration`` is a JSON object or the id of
    a credential; ``state`` the default state, a JSON object or a path. ``edges`` are in the order in which they are followed.
    ``source_map`` belongs to an expression that was compiled elsewhere. ``extra`` keeps unknown keys.
    """

    id: str
    expression: str
    name: str | None = None
    adaptors: tuple[str, ...] = ()
    configuration: Mapping[str, object] | str | None = None
    state: Mapping[str, object] | str | None = None
    edges: tuple[Edge, ...] = ()
    previous: str | None = None
    linker: Mapping[str, ModuleLink] = fresh(factory=dict)
    source_map: object | None = None
    extra: Mapping[str, object] = fresh(factory=dict)

    def __repr__(self) -> str:
        """Without expression, state and configuration: what is printed may end in a log."""
        return f"Job(id={self.id!r}, name={self.name!r}, adaptors={self.adaptors!r})"

    @property
    def title(self) -> str:
        """What people read: the name, or the id of a job without one."""
        return self.name or self.id
