"""The 10-second rule: a (message, job) is started directly once in ten seconds at most (requirements §3.8)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from kivuko.errors import TooSoon
from kivuko.records.database import Conflict, Connection
from kivuko.records.ids import Id
from kivuko.records.rows import StartGuard

__all__ = ["RERUN_INTERVAL_US", "Guards"]

RERUN_INTERVAL_US = 10_000_000


class Guards:
    """The guards of some messages and jobs, in memory. The messages must be locked."""

    def __init__(self, connection: Connection, message_ids: Collection[Id], job_ids: Collection[Id], now_us: int) -> None:
        asked = {"message_ids": sorted(message_ids), "job_ids": sorted(job_ids)}
        found = connection.load(StartGuard, "guards_of_pairs", **asked) if message_ids and job_ids else []
        self._connection = connection
        self._now_us = now_us
        self._guards = {(guard.message_id, guard.job_id): guard for guard in found}
        self._taken: list[StartGuard] = []

    def check(self, message_id: Id, runs: Iterable[tuple[Id, Id]], interval_us: int) -> None:
        """Raises TooSoon when one of the jobs (run id, job id) was started less than the interval ago."""
        for run_id, job_id in runs:
            guard = self._guards.get((message_id, job_id))
            if guard and guard.run_id != run_id and guard.last_at > self._now_us - interval_us:
                # A writer that waited for the lock of the message may have begun before the start that it now sees.
                wait_us = min(guard.last_at + interval_us - self._now_us, interval_us)
                raise TooSoon(retry_after_s=wait_us / 1_000_000, run_id=str(guard.run_id))

    def take(self, guard: StartGuard) -> None:
        """Notes a start, for whoever comes next in this transaction too."""
        self._guards[guard.message_id, guard.job_id] = guard
        self._taken.append(guard)

    def write(self) -> None:
        """Stores what was taken."""
        self._connection.write(self._taken, Conflict.REPLACE)
