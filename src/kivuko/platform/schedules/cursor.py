"""What a schedule begins with: the final state of its last success (R-024)."""

from __future__ import annotations

from dataclasses import dataclass

from kivuko.platform.schedules.models import ScheduleRow
from kivuko.platform.workflows.document import TriggerDocument, WorkflowDocument
from kivuko.platform.workflows.starts import jobs_behind
from kivuko.records import Dataclip, Id, Input, Pin, Records, last_final_state, last_output
from kivuko.records.database import Connection

__all__ = ["Cursor", "cursor_of", "keep_cursor", "schedule_input"]

_PATIENCE_S = 30


@dataclass(frozen=True)
class Cursor:
    """The last state of a job or workflow (``of``); None before the first success, or when it was wiped."""

    of: Id
    dataclip_id: Id | None


def schedule_input(records: Records, document: WorkflowDocument, trigger: TriggerDocument) -> Input:
    """What a tick, or somebody who runs the schedule now (R-025), begins with; the empty one stands for ``{}``.

    Raises RecordsUnavailable.
    """
    row = ScheduleRow.objects.filter(trigger_id=trigger.id).first()
    with records.reading() as connection:
        return Input(dataclip_id=cursor_of(connection, document, trigger, row).dataclip_id)


def cursor_of(connection: Connection, document: WorkflowDocument, trigger: TriggerDocument, row: ScheduleRow | None) -> Cursor:
    """The state of ``cursor_job_id``, of the trigger's only job, or with several of the workflow."""
    jobs = jobs_behind(document, trigger.id)
    job_id = trigger.cursor_job_id or (jobs[0].id if len(jobs) == 1 else None)
    of = job_id or document.id
    found = last_output(connection, job_id) if job_id else last_final_state(connection, document.id)
    if found is None and row is not None and row.state_of == of:
        # Retention has taken the Run; its state was pinned.
        found = row.state_dataclip_id
    return Cursor(of, found if found and _is_there(connection, found) else None)


def keep_cursor(records: Records, row: ScheduleRow, cursor: Cursor) -> None:
    """Has retention leave a schedule's state alone, and the one before it no longer. Raises RecordsUnavailable."""
    if (row.state_of, row.state_dataclip_id) == (cursor.of, cursor.dataclip_id):
        return
    records.submit(Pin(cursor.of, cursor.dataclip_id)).result(_PATIENCE_S)
    before = row.state_of
    row.state_of, row.state_dataclip_id = cursor.of, cursor.dataclip_id
    row.save(update_fields=["state_of", "state_dataclip_id"])
    if before is not None and before != cursor.of:
        release(records, before)


def release(records: Records, state_of: Id) -> None:
    """Lets go of a job's or workflow's state, unless another schedule begins with it. Raises RecordsUnavailable."""
    if not ScheduleRow.objects.filter(state_of=state_of).exists():
        records.submit(Pin(state_of, None)).result(_PATIENCE_S)


def _is_there(connection: Connection, dataclip_id: Id) -> bool:
    """Whether it was not wiped: schedules of projects that keep nothing begin with ``{}``."""
    found = connection.load(Dataclip, "dataclip_read", id=dataclip_id)
    return bool(found) and found[0].wiped_at is None
