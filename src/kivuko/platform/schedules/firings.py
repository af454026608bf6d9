"""When a trigger fires."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from kivuko.platform.workflows.document import TriggerDocument
from kivuko.workflow.schedules import CronSchedule, IntervalSchedule, firings, read_cron, read_interval

__all__ = ["Firing", "at_us", "moment_of", "next_firings", "preview", "schedule_of", "written_as"]

AnySchedule = CronSchedule | IntervalSchedule


@dataclass(frozen=True)
class Firing:
    """A moment: in UTC, and as the clock on the wall shows it in the schedule's zone (with its offset)."""

    at: datetime
    local: datetime


def schedule_of(trigger: TriggerDocument, project_timezone: str = "UTC") -> AnySchedule:
    """The schedule of a cron or interval trigger. Raises InputError for one that cannot be read, or for another kind of trigger."""
    timezone = trigger.timezone or project_timezone
    if trigger.kind == "cron":
        return read_cron(trigger.cron_expression or "", timezone)
    return read_interval(trigger.every or "", trigger.anchor or "", timezone)


def written_as(trigger: TriggerDocument, project_timezone: str) -> str:
    """What the times of a trigger follow from: when this changes, they are calculated anew."""
    return "|".join(str(each) for each in (trigger.cron_expression, trigger.every, trigger.anchor, trigger.timezone or project_timezone))


def preview(schedule: AnySchedule, count: int = 5, after: datetime | None = None) -> list[Firing]:
    """The next firings after a moment (now)."""
    zone = ZoneInfo(schedule.timezone)
    return [Firing(at, at.astimezone(zone)) for at in islice(firings(schedule, after or datetime.now(UTC)), count)]


def next_firings(trigger: TriggerDocument, count: int = 5, after: datetime | None = None, *, project_timezone: str = "UTC") -> list[Firing]:
    """The next firings of a trigger, whether it is on or off. Raises InputError as ``schedule_of``."""
    return preview(schedule_of(trigger, project_timezone), count, after)


def moment_of(time_us: int) -> datetime:
    """The moment of a time in µs."""
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).replace(microsecond=time_us % 1_000_000)


def at_us(moment: datetime) -> int:
    """The time of a moment in µs."""
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond
