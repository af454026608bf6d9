"""When a schedule fires: cron expressions and intervals in a time zone, across summer time (requirements §3.2).

- A cron job at fixed times (``0 23 * * FRI``) keeps its wall-clock time: one that falls into the hour that is skipped fires when that hour
  is over, one in the hour that comes twice fires the first time only. Jobs with ``*`` or ``*/n`` as minute or hour go on by real time.
  So does Debian's cron (cron(8)), whose rule this is.
- An interval of days, weeks or months keeps the anchor's wall-clock time; one of minutes or hours counts real time.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from kivuko.errors import InputError
from kivuko.workflow.cron import CronExpression, read_cron_expression

__all__ = ["CronSchedule", "IntervalSchedule", "Schedule", "firings", "read_cron", "read_interval"]

_REAL_TIME_S = {"second": 1, "minute": 60, "hour": 3600}
_DAYS = {"day": 1, "week": 7}
_UNITS = (*_REAL_TIME_S, *_DAYS, "month")


class Schedule(Protocol):
    """Something that fires at moments."""

    def next_after(self, moment: datetime) -> datetime:
        """The first firing later than ``moment`` (aware), in UTC."""


@dataclass(frozen=True)
class CronSchedule:
    """A cron expression in a time zone."""

    expression: CronExpression
    timezone: str = "UTC"

    def next_after(self, moment: datetime) -> datetime:
        """The first firing later than ``moment``, in UTC."""
        zone = ZoneInfo(self.timezone)
        if self.expression.at_fixed_times:
            local = _wall_clock(moment, zone)
            # From a day earlier: a time in a gap (an hour, once a whole day) fires at its end, later than its own wall-clock time.
            for named in self.expression.after(local - timedelta(days=1)):
                fires = _moment_of(named, zone)
                if fires > moment:
                    return fires
        return self._next_by_real_time(moment.astimezone(UTC), zone)

    def _next_by_real_time(self, moment: datetime, zone: ZoneInfo) -> datetime:
        while True:
            offset = _offset(moment, zone)
            named = next(self.expression.after(_wall_clock(moment, zone)))
            fires = (named - offset).replace(tzinfo=UTC)
            change = _first_change(moment, fires, zone)
            if change is None:
                return fires
            # From the change on another offset rules, and the minute of the change itself counts.
            local = _wall_clock(change, zone)
            if next(self.expression.after(local - timedelta(microseconds=1))) == local:
                return change
            moment = change


@dataclass(frozen=True)
class IntervalSchedule:
    """Every ``count`` of a ``unit`` (second, minute, hour, day, week, month) from ``anchor``, a wall-clock time in the zone."""

    count: int
    unit: str
    anchor: datetime
    timezone: str = "UTC"

    def next_after(self, moment: datetime) -> datetime:
        """The first firing later than ``moment``, in UTC; the anchor itself is the first of all."""
        zone = ZoneInfo(self.timezone)
        start = _moment_of(self.anchor, zone)
        if start > moment:
            return start
        at = max(0, self._about(moment, start, zone) - 1)
        while (fires := self._firing(at, start, zone)) <= moment:
            at += 1
        return fires

    def _about(self, moment: datetime, start: datetime, zone: ZoneInfo) -> int:
        """How many intervals have passed, one too many at most."""
        if self.unit in _REAL_TIME_S:
            return (moment - start) // timedelta(seconds=self.count * _REAL_TIME_S[self.unit])
        local = _wall_clock(moment, zone)
        if self.unit in _DAYS:
            return (local - self.anchor) // timedelta(days=self.count * _DAYS[self.unit])
        return ((local.year - self.anchor.year) * 12 + local.month - self.anchor.month) // self.count

    def _firing(self, at: int, start: datetime, zone: ZoneInfo) -> datetime:
        if self.unit in _REAL_TIME_S:
            return start + timedelta(seconds=at * self.count * _REAL_TIME_S[self.unit])
        if self.unit in _DAYS:
            return _moment_of(self.anchor + timedelta(days=at * self.count * _DAYS[self.unit]), zone)
        return _moment_of(_months_later(self.anchor, at * self.count), zone)


def firings(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """All firings later than ``after``, in UTC, without end."""
    while True:
        after = schedule.next_after(after)
        yield after


def read_cron(text: str, timezone: str = "UTC") -> CronSchedule:
    """A cron schedule. Raises InputError for an expression or a zone that cannot be used."""
    return CronSchedule(read_cron_expression(text), _known_zone(timezone))


def read_interval(every: str | int, anchor: datetime | str, timezone: str = "UTC") -> IntervalSchedule:
    """An interval: ``"2 weeks"``, or seconds as files from before 2020 have them; ``anchor`` is a naive local time or its ISO text.

    Raises InputError for what cannot be used, and for less than a minute.
    """
    words = f"{every} seconds".split() if isinstance(every, int) else every.lower().split()
    words = ["1", *words] if len(words) == 1 else words
    unit = "".join(words[-1:]).removesuffix("s")
    if len(words) != 2 or not (words[0].isascii() and words[0].isdigit()) or int(words[0]) < 1 or unit not in _UNITS:
        raise InputError(f"{every!r} is no interval", fix='Write a number and a unit from minutes to months: "2 weeks".')
    if unit == "second" and int(words[0]) < 60:
        raise InputError(f"an interval of {every} is shorter than a minute", fix="Use a minute or more.")
    return IntervalSchedule(int(words[0]), unit, _read_anchor(anchor), _known_zone(timezone))


def _read_anchor(anchor: datetime | str) -> datetime:
    try:
        found = datetime.fromisoformat(anchor) if isinstance(anchor, str) else anchor
    except ValueError as error:
        raise InputError(f"{anchor!r} is no date and time", fix="Write it as 2026-01-02T23:00.") from error
    if found.tzinfo is not None:
        raise InputError("the anchor of an interval has a zone of its own", fix="Write the anchor without one; the schedule's zone counts.")
    return found


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InputError(f"{name!r} is no time zone", fix="Write a name such as Africa/Freetown or UTC.") from error
    return name


def _moment_of(local: datetime, zone: ZoneInfo) -> datetime:
    """The moment of a wall-clock time: the first of two, and for one that is skipped the end of the gap."""
    moment = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local:
        return moment
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _first_change(before, moment, zone) or moment


def _wall_clock(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _first_change(start: datetime, end: datetime, zone: ZoneInfo) -> datetime | None:
    """The first moment after ``start`` and up to ``end`` at which the zone's offset changes, to the second; None when it does not."""
    step = timedelta(days=7)
    while start < end:
        until = min(start + step, end)
        if _offset(until, zone) != _offset(start, zone):
            return _change_between(start, until, zone)
        start = until
    return None


def _change_between(start: datetime, end: datetime, zone: ZoneInfo) -> datetime:
    offset = _offset(start, zone)
    while end - start > timedelta(seconds=1):
        middle = start + (end - start) // 2
        if _offset(middle, zone) == offset:
            start = middle
        else:
            end = middle
    return end.replace(microsecond=0)


def _months_later(anchor: datetime, months: int) -> datetime:
    years, month = divmod(anchor.month - 1 + months, 12)
    last_day = calendar.monthrange(anchor.year + years, month + 1)[1]
    return anchor.replace(year=anchor.year + years, month=month + 1, day=min(anchor.day, last_day))
