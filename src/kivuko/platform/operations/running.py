"""Carrying operations out: a batch of each in turn, from where its row says."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

import structlog
from django.db.models import F
from django.utils import timezone

from kivuko.errors import BodyWiped, KivukoError, ObjectMissing, RecordMissing, RecordsUnavailable, TooSoon
from kivuko.platform.ids import read_id
from kivuko.platform.operations.bulk import IDS_A_PART
from kivuko.platform.operations.models import OperationItems, OperationRow
from kivuko.platform.operations.reruns import matches_of_message, rerun_of_run, run_of_message
from kivuko.platform.operations.views import UNFINISHED
from kivuko.records import AlreadyStarted, Cause, Happening, Id, Once, Records, Started, StartWork

__all__ = ["OperationRunner"]

_log = structlog.get_logger(__name__)

_BATCH = 25
_PATIENCE_S = 30
_REMEMBERED_US = 40 * 86_400_000_000
_REASONS: tuple[tuple[type[KivukoError], str], ...] = (
    (TooSoon, "too_soon"),
    (BodyWiped, "wiped"),
    (RecordMissing, "missing"),
    (ObjectMissing, "missing"),
)


_Starting = Future[Started | AlreadyStarted]


@dataclass
class _Tally:
    """What came of a batch."""

    done: int = 0
    failed: int = 0
    work_orders: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


@dataclass
class _Credit:
    """How many items a throttled operation may start, and since when that was counted."""

    items: float
    counted_at: float


class OperationRunner:
    """Works operations off. ``monotonic_s`` is the clock of ``rate_per_s``. One thread at a time may use it."""

    def __init__(self, records: Records, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._records = records
        self._monotonic_s = monotonic_s
        self._credits: dict[Id, _Credit] = {}

    def work(self) -> bool:
        """A batch of each; whether one of them has more to do at once. Raises RecordsUnavailable and Django's DatabaseError."""
        rows = list(OperationRow.objects.filter(state__in=UNFINISHED).order_by("id"))
        self._credits = {row.id: self._credits[row.id] for row in rows if row.id in self._credits}
        more = [row for row in rows if self._advance(row)]
        return bool(more)

    def _advance(self, row: OperationRow) -> bool:
        if row.cancel_requested:
            _finish(row, "cancelled")
            return False
        if row.state == "queued":
            OperationRow.objects.filter(id=row.id, state="queued").update(state="running", started_at=timezone.now())
            row.state = "running"
        ids = _ids_at(row, self._allowed(row))
        if not ids:
            if row.position >= row.total - row.reasons.get("follows_another", 0):
                _finish(row, "done")
            return False
        tally = self._start(row, ids)
        _store(row, len(ids), tally)
        self._pay(row, len(ids))
        return row.rate_per_s is None

    def _allowed(self, row: OperationRow) -> int:
        """How many items may be started now: at once, what the rate gives in a second at most."""
        if row.rate_per_s is None:
            return _BATCH
        now = self._monotonic_s()
        credit = self._credits.setdefault(row.id, _Credit(1.0, now))
        credit.items = min(credit.items + (now - credit.counted_at) * row.rate_per_s, max(row.rate_per_s, 1.0))
        credit.counted_at = now
        return min(int(credit.items), IDS_A_PART)

    def _pay(self, row: OperationRow, items: int) -> None:
        if row.id in self._credits:
            self._credits[row.id].items -= items

    def _start(self, row: OperationRow, ids: list[Id]) -> _Tally:
        tally = _Tally()
        begun: list[list[_Starting]] = []
        for at, item in enumerate(ids):
            try:
                starts = self._starts(row, item)
            except RecordsUnavailable:
                raise
            except KivukoError as error:
                _note(tally, error)
            else:
                if not starts:
                    tally.skipped["no_match"] += 1
                # All together, in their order: they share transactions.
                begun.append([self._records.submit(self._once(row, row.position + at, which, each)) for which, each in enumerate(starts)])
        for futures in begun:
            _settle(tally, futures)
        return tally

    def _starts(self, row: OperationRow, item: Id) -> list[StartWork]:
        job_id = read_id(row.start)
        if row.subject == "runs":
            return [rerun_of_run(item, job_id=job_id)]
        if job_id is not None:
            return [run_of_message(item, job_id, cause=Cause.RERUN)]
        return matches_of_message(self._records, item)

    def _once(self, row: OperationRow, position: int, which: int, start: StartWork) -> StartWork:
        """After a crash the same item starts nothing a second time."""
        expires_at = int(time.time()) * 1_000_000 + _REMEMBERED_US
        key = row.id + position.to_bytes(4, "big") + which.to_bytes(2, "big")
        return replace(start, once=Happening(Once.OPERATION, key, expires_at))


def _ids_at(row: OperationRow, at_most: int) -> list[Id]:
    """The next items: from one part at most."""
    if at_most <= 0:
        return []
    number, offset = divmod(row.position, IDS_A_PART)
    part = OperationItems.objects.filter(operation_id=row.id, number=number).values_list("ids", flat=True).first()
    data = bytes(part or b"")
    return [Id(data[at : at + 16]) for at in range(offset * 16, min(len(data), (offset + at_most) * 16), 16)]


def _settle(tally: _Tally, futures: list[_Starting]) -> None:
    """An item is done when it started anything, else its first refusal counts."""
    started, refusals = 0, []
    for future in futures:
        try:
            future.result(_PATIENCE_S)
            started += 1
        except RecordsUnavailable:
            raise
        except KivukoError as error:
            refusals.append(error)
    tally.work_orders += started
    if started:
        tally.done += 1
    elif refusals:
        _note(tally, refusals[0])


def _note(tally: _Tally, error: KivukoError) -> None:
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            tally.skipped[reason] += 1
            return
    tally.failed += 1
    tally.skipped[error.code] += 1
    _log.warning("operation_item_failed", code=error.code, error=error.message)


def _store(row: OperationRow, items: int, tally: _Tally) -> None:
    reasons = dict(Counter(row.reasons) + tally.skipped)
    OperationRow.objects.filter(id=row.id).update(
        position=F("position") + items,
        done=F("done") + tally.done,
        failed=F("failed") + tally.failed,
        skipped=F("skipped") + sum(tally.skipped.values()) - tally.failed,
        started_work_orders=F("started_work_orders") + tally.work_orders,
        reasons=reasons,
    )


def _finish(row: OperationRow, state: str) -> None:
    OperationRow.objects.filter(id=row.id).update(state=state, finished_at=timezone.now())
    _log.info("operation_ended", operation=str(row.id), state=state, total=row.total, done=row.done, skipped=row.skipped, failed=row.failed)
