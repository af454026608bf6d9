"""A trigger: where a workflow starts; it hands its input on and runs nothing."""

from __future__ import annotations

from collections.abc import Mapping

from kivuko.value import fresh, value
from kivuko.workflow.edge import Edge

__all__ = ["Trigger"]


@value
class Trigger:
    """A step of an execution plan without an expression.

    ``kind`` is what plans call ``type`` (``webhook``, ``cron`` …). ``enabled`` concerns automatic starts, not the execution of a plan.
    ``extra`` keeps every other key.
    """

    id: str
    name: str | None = None
    kind: str | None = None
    enabled: bool | None = None
    edges: tuple[Edge, ...] = ()
    extra: Mapping[str, object] = fresh(factory=dict)

    @property
    def title(self) -> str:
        """What people read: the name, or the id of a trigger without one."""
        return self.name or self.id
