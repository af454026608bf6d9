"""Ticks of schedules become work orders: each once, whatever restarts (server-and-data §8)."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.db.models import Q

from kivuko.errors import KivukoError, RecordsError, RecordsUnavailable
from kivuko.platform.changes import configuration_version
from kivuko.platform.schedules.cursor import cursor_of, keep_cursor
from kivuko.platform.schedules.due import due_ticks
from kivuko.platform.schedules.firings import at_us, moment_of
from kivuko.platform.schedules.following import Followed, follow
from kivuko.platform.schedules.models import ScheduleRow
from kivuko.platform.schedules.overlap import line_up
from kivuko.platform.workflows.starts import jobs_behind, trigger_start
from kivuko.records import Cancel, Cause, Happening, Id, Input, Once, Origin, Records, StartWork, unfinished_of_trigger

__all__ = ["Ticker"]

_log = structlog.get_logger(__name__)

_CAUSES = {"cron": Cause.CRON, "interval": Cause.INTERVAL}
_REMEMBERED_US = 40 * 86_400_000_000
"""A tick that was started is started by nobody else; after so long nobody would try."""
_PATIENCE_S = 30
_MOVING = ("next_at", "waiting", "has_waiting", "skipped", "skipped_at")


class Ticker:
    """Starts what is due. ``now_us`` is the database's clock when not given. One thread at a time may use it."""

    def __init__(self, records: Records, *, now_us: Callable[[], int] | None = None) -> None:
        self._records = records
        self._given_now_us = now_us
        self._followed: dict[Id, Followed] = {}
        self._version: int | None = None

    def work(self) -> bool:
        """Looks once, every second; never has more to do at once. Raises RecordsUnavailable and Django's DatabaseError."""
        now_us = self._now_us()
        version = configuration_version()
        if version != self._version:
            self._followed = follow(self._records, now_us)
            self._version = version
        for row in ScheduleRow.objects.filter(Q(next_at__lte=now_us) | Q(has_waiting=True)).order_by("next_at", "trigger_id"):
            found = self._followed.get(row.trigger_id)
            if found is not None:
                self._look_at_one(row, found, now_us)
        return False

    def pin_states(self) -> None:
        """Has retention leave alone what the schedules will begin with. Raises RecordsUnavailable and Django's DatabaseError."""
        followed = self._followed or follow(self._records, self._now_us())
        for row in ScheduleRow.objects.filter(next_at__isnull=False):
            if row.trigger_id in followed:
                self._cursor(row, followed[row.trigger_id])

    def _now_us(self) -> int:
        if self._given_now_us:
            return self._given_now_us()
        with self._records.reading() as connection:
            return connection.now_us()

    def _look_at_one(self, row: ScheduleRow, found: Followed, now_us: int) -> None:
        """One that cannot be started must not hold up the others."""
        try:
            self._look_at(row, found, now_us)
        except RecordsUnavailable:
            raise
        except KivukoError as error:
            _log.error("schedule_failed", workflow=found.document.name, trigger=found.trigger.title, error=error.message)

    def _look_at(self, row: ScheduleRow, found: Followed, now_us: int) -> None:
        with self._records.reading() as connection:
            unfinished = unfinished_of_trigger(connection, row.workflow_id, row.trigger_id)
        if row.next_at is not None and row.next_at <= now_us and not self._line_up(row, found, unfinished, now_us):
            return
        if found.trigger.overlap == "allow":
            for tick in list(row.waiting):
                self._start(row, found, tick, now_us)
        elif row.waiting and not unfinished:
            self._start(row, found, row.waiting[0], now_us)

    def _line_up(self, row: ScheduleRow, found: Followed, unfinished: list[Id], now_us: int) -> bool:
        """Moves the schedule on; what is to be started is stored before it is, so that nothing is forgotten.

        False when another node was faster.
        """
        trigger, before = found.trigger, row.next_at
        due = due_ticks(found.schedule, moment_of(before or now_us), moment_of(now_us), trigger.catch_up)
        line = line_up(trigger.overlap, row.waiting, due, busy=bool(unfinished), catch_up=trigger.catch_up)
        row.next_at, row.waiting, row.has_waiting = at_us(due.next), list(line.waiting), bool(line.waiting)
        if line.let_go:
            row.skipped += line.let_go
            row.skipped_at = now_us
        values = {name: getattr(row, name) for name in _MOVING}
        if not ScheduleRow.objects.filter(trigger_id=row.trigger_id, next_at=before).update(**values):
            return False
        if line.let_go:
            _log.info("ticks_skipped", workflow=found.document.name, trigger=trigger.title, ticks=line.let_go, overlap=trigger.overlap)
        if line.cancels:
            for attempt_id in unfinished:
                self._records.submit(Cancel(attempt_id)).result(_PATIENCE_S)
        return True

    def _start(self, row: ScheduleRow, found: Followed, tick: int, now_us: int) -> None:
        trigger, document = found.trigger, found.document
        if jobs_behind(document, trigger.id):
            given = Input(dataclip_id=self._cursor(row, found))
            start = trigger_start(document, found.snapshot_id, trigger.id, _CAUSES[trigger.kind])
            once = Happening(Once.TICK, trigger.id + tick.to_bytes(8, "big"), now_us + _REMEMBERED_US)
            try:
                self._records.submit(StartWork(start, Origin(document.project_id), given, guard_us=0, once=once)).result(_PATIENCE_S)
            except RecordsUnavailable:
                raise
            except RecordsError as error:
                row.skipped += 1
                row.skipped_at = now_us
                _log.error("tick_refused", workflow=document.name, trigger=trigger.title, error=error.message)
        row.waiting = [other for other in row.waiting if other != tick]
        row.has_waiting = bool(row.waiting)
        row.save(update_fields=["waiting", "has_waiting", "skipped", "skipped_at"])

    def _cursor(self, row: ScheduleRow, found: Followed) -> Id | None:
        with self._records.reading() as connection:
            cursor = cursor_of(connection, found.document, found.trigger, row)
        keep_cursor(self._records, row, cursor)
        return cursor.dataclip_id
