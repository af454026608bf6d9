"""The rows follow the configuration: which triggers are on, and what they say."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from kivuko.errors import InputError
from kivuko.platform.projects.settings import all_projects
from kivuko.platform.schedules.cursor import release
from kivuko.platform.schedules.firings import AnySchedule, at_us, moment_of, schedule_of, written_as
from kivuko.platform.schedules.models import ScheduleRow
from kivuko.platform.workflows.document import SCHEDULE_KINDS, TriggerDocument, WorkflowDocument
from kivuko.platform.workflows.models import TriggerRow
from kivuko.platform.workflows.snapshots import enabled_workflows
from kivuko.records import Id, Records

__all__ = ["Followed", "follow"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Followed:
    """A trigger that is on, in the version that its ticks start."""

    document: WorkflowDocument
    snapshot_id: Id
    trigger: TriggerDocument
    schedule: AnySchedule


def follow(records: Records, now_us: int) -> dict[Id, Followed]:
    """Brings the rows up to date; the triggers that are on.

    One that was off, or says another time than before, fires next after now: nothing is made up for. Raises RecordsUnavailable.
    """
    rows = {row.trigger_id: row for row in ScheduleRow.objects.all()}
    followed: dict[Id, Followed] = {}
    timezones = {project.id: project.timezone for project in all_projects()}
    for document, snapshot_id in enabled_workflows():
        for trigger in document.triggers:
            if trigger.enabled and trigger.kind in SCHEDULE_KINDS:
                timezone = timezones.get(document.project_id, "UTC")
                found = _followed(document, snapshot_id, trigger, timezone)
                if found:
                    followed[trigger.id] = found
                    _note(found, rows.get(trigger.id), written_as(trigger, timezone), now_us)
    for row in rows.values():
        if row.trigger_id not in followed:
            _switch_off(records, row)
    return followed


def _followed(document: WorkflowDocument, snapshot_id: Id, trigger: TriggerDocument, timezone: str) -> Followed | None:
    try:
        return Followed(document, snapshot_id, trigger, schedule_of(trigger, timezone))
    except InputError as error:
        # Saving refuses such a trigger; one that came another way must not hold up the others.
        _log.error("schedule_unusable", trigger=str(trigger.id), workflow=document.name, error=error.message)
        return None


def _note(found: Followed, row: ScheduleRow | None, written: str, now_us: int) -> None:
    if row is not None and row.next_at is not None and row.written == written:
        return
    row = row or ScheduleRow(trigger_id=found.trigger.id)
    row.workflow_id, row.project_id = found.document.id, found.document.project_id
    row.written = written
    row.next_at = at_us(found.schedule.next_after(moment_of(now_us)))
    row.waiting, row.has_waiting = [], False
    row.save()


def _switch_off(records: Records, row: ScheduleRow) -> None:
    if not TriggerRow.objects.filter(id=row.trigger_id, archived_at__isnull=True).exists():
        row.delete()
        if row.state_of is not None:
            release(records, row.state_of)
    elif row.next_at is not None:
        row.next_at, row.waiting, row.has_waiting = None, [], False
        row.save()
