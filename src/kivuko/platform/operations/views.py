"""An operation as people see it (api.md §6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from kivuko.platform.operations.models import OperationRow
from kivuko.records import Id

__all__ = ["UNFINISHED", "OperationView", "view_of"]

UNFINISHED = ("queued", "running")


@dataclass(frozen=True)
class OperationView:
    """``state`` is ``queued``, ``running``, ``done``, ``failed`` or ``cancelled``; ``total`` = done + skipped + failed + what is left.

    ``skipped_reasons`` counts what was not started by why: ``too_soon``, ``wiped``, ``missing``, ``no_match``, ``follows_another`` (a Run
    that runs again by itself when the one before it does), or the code of an error.
    """

    id: Id
    project_id: Id
    kind: str
    state: str
    total: int
    done: int
    skipped: int
    failed: int
    skipped_reasons: Mapping[str, int]
    inserted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    result: Mapping[str, object] | None
    author_id: Id | None


def view_of(row: OperationRow) -> OperationView:
    """The value of a row."""
    return OperationView(
        id=row.id,
        project_id=row.project_id,
        kind=row.kind,
        state=row.state,
        total=row.total,
        done=row.done,
        skipped=row.skipped,
        failed=row.failed,
        skipped_reasons=dict(row.reasons),
        inserted_at=row.inserted_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        result=None if row.state in UNFINISHED else {"work_orders": row.started_work_orders},
        author_id=row.author_id,
    )
