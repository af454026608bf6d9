"""Making, following and cancelling bulk reruns (platform §2.3, R-065)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from kivuko.errors import Conflict, ObjectMissing, ValidationFailed
from kivuko.platform.history.models import Run
from kivuko.platform.operations.models import OperationItems, OperationRow
from kivuko.platform.operations.views import UNFINISHED, OperationView, view_of
from kivuko.records import Id

__all__ = ["IDS_A_PART", "cancel_operation", "create_bulk_rerun", "operation", "without_followers"]

IDS_A_PART = 1000
_SUBJECTS = ("messages", "runs")
_ASKED_AT_ONCE = 500


def create_bulk_rerun(
    project_id: Id,
    *,
    subject: str,
    ids: Iterable[Id],
    start: str | Id = "start",
    rate_per_s: float | None = None,
    author_id: Id | None = None,
    filter: Mapping[str, object] | None = None,  # noqa: A002 - what people call it
) -> OperationView:
    """An operation over exactly these messages or Runs, in this order; it begins within a second. Raises ValidationFailed.

    Of Runs, those that follow another one of them are not started: they run again when that one does.
    """
    if subject not in _SUBJECTS:
        raise ValidationFailed(errors={"subject": [f"must be one of {', '.join(_SUBJECTS)}"]})
    if rate_per_s is not None and rate_per_s <= 0:
        raise ValidationFailed(errors={"rate_per_s": ["must be above 0"]})
    asked = list(dict.fromkeys(ids))
    kept = without_followers(asked) if subject == "runs" and start == "start" else asked
    followers = len(asked) - len(kept)
    row = OperationRow(
        project_id=project_id,
        subject=subject,
        start=str(start),
        filter=dict(filter or {}),
        rate_per_s=rate_per_s,
        total=len(asked),
        skipped=followers,
        reasons={"follows_another": followers} if followers else {},
        author_id=author_id,
    )
    parts = [kept[at : at + IDS_A_PART] for at in range(0, len(kept), IDS_A_PART)]
    with transaction.atomic():
        row.save(force_insert=True)
        OperationItems.objects.bulk_create(
            OperationItems(operation=row, number=number, ids=b"".join(part)) for number, part in enumerate(parts)
        )
    return view_of(row)


def operation(operation_id: Id) -> OperationView | None:
    """How far an operation is; None when there is none."""
    row = OperationRow.objects.filter(id=operation_id).first()
    return view_of(row) if row else None


def cancel_operation(operation_id: Id) -> OperationView:
    """Ends an operation: what it has started goes on, it starts nothing more. Raises ObjectMissing, and Conflict when it has ended."""
    with transaction.atomic():
        row = OperationRow.objects.select_for_update().filter(id=operation_id).first()
        if row is None:
            raise ObjectMissing()
        if row.state not in UNFINISHED:
            raise Conflict(f"the operation is {row.state} already")
        row.cancel_requested = True
        if row.state == "queued":
            row.state, row.finished_at = "cancelled", timezone.now()
        row.save(update_fields=["cancel_requested", "state", "finished_at"])
    return view_of(row)


def without_followers(run_ids: Sequence[Id]) -> list[Id]:
    """Those of the Runs that follow none of the others, be it by an edge or by a trigger, directly or not."""
    selected = set(run_ids)
    parents = _parents(run_ids)
    unknown = {parent for parent in parents.values() if parent and parent not in parents}
    while unknown:
        parents.update(dict.fromkeys(unknown) | _parents(sorted(unknown)))
        unknown = {parent for parent in parents.values() if parent and parent not in parents}
    return [run_id for run_id in run_ids if not _follows(run_id, parents, selected)]


def _parents(run_ids: Sequence[Id]) -> dict[Id, Id | None]:
    found: dict[Id, Id | None] = {}
    for at in range(0, len(run_ids), _ASKED_AT_ONCE):
        found.update(Run.objects.filter(id__in=run_ids[at : at + _ASKED_AT_ONCE]).values_list("id", "parent_run_id"))
    return found


def _follows(run_id: Id, parents: Mapping[Id, Id | None], selected: set[Id]) -> bool:
    parent = parents.get(run_id)
    while parent is not None:
        if parent in selected:
            return True
        parent = parents.get(parent)
    return False
