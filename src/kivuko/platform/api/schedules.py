"""When a schedule fires: on the wire, for triggers and previews."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kivuko.errors import InputError, ValidationFailed
from kivuko.platform.api.wire import Moment, Wire, datetime_us
from kivuko.platform.schedules.firings import AnySchedule, preview
from kivuko.workflow.schedules import read_cron, read_interval

__all__ = ["Firing", "next_firings", "schedule_written"]


class Firing(Wire):
    """One firing: the moment, and what a clock on the wall says then (with its offset)."""

    at: Moment
    local: str


def schedule_written(cron_expression: str | None, every: str | None, anchor: str | None, zone: str) -> AnySchedule:
    """The schedule that somebody is about to write. Raises ValidationFailed."""
    if (cron_expression is None) == (every is None):
        raise ValidationFailed(errors={"": ["give either cron_expression, or every with anchor"]})
    if every is not None and anchor is None:
        raise ValidationFailed(errors={"anchor": ["is missing: from when the interval counts"]})
    try:
        return read_cron(cron_expression, zone) if cron_expression is not None else read_interval(every or "", anchor or "", zone)
    except InputError as error:
        path = "timezone" if "time zone" in error.message else "cron_expression" if cron_expression is not None else "every"
        raise ValidationFailed(error.message, errors={path: [error.message]}, fix=error.fix) from error


def next_firings(schedule: AnySchedule, now_us: int, count: int) -> list[Firing]:
    """The next firings after a moment (µs). Raises ValidationFailed for a schedule that does not fire within eight years."""
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now_us)
    try:
        found = preview(schedule, count, now)
    except (OverflowError, ValueError, RuntimeError) as error:
        raise ValidationFailed(errors={"": ["this schedule never fires"]}) from error
    return [Firing(at=datetime_us(each.at), local=each.local.isoformat(timespec="minutes")) for each in found]
