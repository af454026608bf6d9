"""Live pages hear of workflows that were saved or deleted: after the commit, from the process that did it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import transaction

from kivuko.records import Change, Id

__all__ = ["tell_workflows_to", "workflow_changed"]

Tell = Callable[[Sequence[Change]], None]

_tell: list[Tell] = []


def tell_workflows_to(tell: Tell) -> None:
    """Names who is told; it must be quick and may not raise."""
    _tell[:] = [tell]


def workflow_changed(project_id: Id, workflow_id: Id) -> None:
    """Tells of a workflow after the commit of the transaction that calls this."""
    transaction.on_commit(lambda: _after_commit(Change("workflow", project_id, workflow_id)), robust=True)


def _after_commit(change: Change) -> None:
    for tell in _tell:
        tell([change])
