"""Letting go of what a project no longer keeps: bodies, history, words of the search index, disk (server-and-data §10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from kivuko.records import DeleteHistory, Forget, ForgetWorkers, Id, Part, Records, Vacuum, WipeBodies, oldest_kept
from kivuko.records.search import EntryKind, SearchIndex
from kivuko.server.clock.chore import Chore, nothing

__all__ = ["Keeping", "RetentionChore"]

_log = structlog.get_logger(__name__)

_DAY_US = 86_400_000_000
_GUARDS_KEPT_US = 3_600_000_000
_WORKERS_KEPT_US = 30 * _DAY_US
_PATIENCE_S = 60
_NEWEST = Id(b"\xff" * 16)


@dataclass(frozen=True)
class Keeping:
    """For how many days a project keeps what; None is for ever. One that is ``gone`` keeps nothing.

    One that ``erases`` keeps no payloads, so nothing of it stands in the search index either.
    """

    project_id: Id
    messages_days: int | None = None
    dataclips_days: int | None = None
    history_days: int | None = None
    gone: bool = False
    erases: bool = False


class RetentionChore:
    """Goes over all projects. ``prepare`` is called before (schedules pin what they will start from)."""

    def __init__(
        self,
        records: Records,
        keepings: Callable[[], Sequence[Keeping]],
        index: SearchIndex | None = None,
        *,
        prepare: Callable[[], object] = nothing,
        now_us: Callable[[], int] | None = None,
    ) -> None:
        self._records = records
        self._keepings = keepings
        self._index = index
        self._prepare = prepare
        self._now_us = now_us
        self._wiped_up_to: dict[tuple[Id, Part], Id] = {}
        self._began_us = 0

    @property
    def chore(self) -> Chore:
        """To be done every half hour."""
        return Chore("retention", 1800.0, self.work)

    def work(self) -> bool:
        """Goes over all projects once. Raises RecordsUnavailable."""
        now_us = self._now()
        if now_us - self._began_us > _DAY_US:
            # What could not be wiped because it was still needed gets another chance once a day.
            self._wiped_up_to.clear()
            self._began_us = now_us
        self._prepare()
        purged = sum(self._keep(keeping, now_us) for keeping in self._keepings())
        self._forget(now_us)
        self._give_back(compact=bool(purged))
        return False

    def _now(self) -> int:
        if self._now_us:
            return self._now_us()
        with self._records.reading() as connection:
            return connection.now_us()

    def _keep(self, keeping: Keeping, now_us: int) -> int:
        purged = sum(self._purge(keeping.project_id, kind, _NEWEST) for kind in EntryKind) if keeping.erases else 0
        messages = _limit(keeping, keeping.messages_days, now_us)
        dataclips = _limit(keeping, keeping.dataclips_days, now_us)
        history = _limit(keeping, keeping.history_days, now_us)
        if messages:
            self._wipe(keeping.project_id, Part.MESSAGES, messages)
            purged += self._purge(keeping.project_id, EntryKind.BODY, messages) + self._purge(
                keeping.project_id, EntryKind.HEADERS, messages
            )
        if dataclips:
            self._wipe(keeping.project_id, Part.ATTEMPTS, dataclips)
            self._wipe(keeping.project_id, Part.SAVED_INPUTS, dataclips)
        if history:
            deleted = self._repeat(lambda: self._records.submit(DeleteHistory(keeping.project_id, history), bulk=True).result(_PATIENCE_S))
            for kind in EntryKind:
                purged += self._purge(keeping.project_id, kind, history)
            if deleted:
                _log.info("history_deleted", project=str(keeping.project_id), rows=deleted)
        return purged

    def _wipe(self, project_id: Id, part: Part, before: Id) -> None:
        count = 0
        while True:
            after = self._wiped_up_to.get((project_id, part), Id(bytes(16)))
            wiped = self._records.submit(WipeBodies(project_id, part, before, after), bulk=True).result(_PATIENCE_S)
            count += wiped.count
            if wiped.after is None:
                break
            self._wiped_up_to[project_id, part] = wiped.after
        if count:
            _log.info("bodies_wiped", project=str(project_id), part=part.value, bodies=count)

    def _purge(self, project_id: Id, kind: EntryKind, before: Id) -> int:
        index = self._index
        return self._repeat(lambda: index.purge(project_id, kind, before)) if index else 0

    def _forget(self, now_us: int) -> None:
        self._repeat(lambda: self._records.submit(Forget(now_us - _GUARDS_KEPT_US), bulk=True).result(_PATIENCE_S))
        self._repeat(lambda: self._records.submit(ForgetWorkers(now_us - _WORKERS_KEPT_US), bulk=True).result(_PATIENCE_S))

    def _give_back(self, *, compact: bool) -> None:
        free = self._records.submit(Vacuum(), bulk=True).result(_PATIENCE_S)
        while free:
            left = self._records.submit(Vacuum(), bulk=True).result(_PATIENCE_S)
            free = left if left < free else 0
        if compact and self._index:
            more = self._index.compact(begin=True)
            while more:
                more = self._index.compact(begin=False)

    def _repeat(self, step: Callable[[], int]) -> int:
        total = 0
        while done := step():
            total += done
        return total


def _limit(keeping: Keeping, days: int | None, now_us: int) -> Id | None:
    """What is older than this id goes; None when all stays."""
    if keeping.gone:
        return _NEWEST
    return None if days is None else oldest_kept(now_us - days * _DAY_US)
