"""Leases that are over are taken back (server-and-data §6)."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from kivuko.errors import RecordsError
from kivuko.records import LEASE_US, Expire, Lease, LeaseWatch, Records, leases_held
from kivuko.server.clock.chore import Chore, nothing

__all__ = ["LeaseChore"]

_log = structlog.get_logger(__name__)

_LONGEST_GAP_US = 4_000_000
"""Who did not look for so long (a suspended machine, a stopped process) has seen nothing."""
_PATIENCE_S = 30


def _monotonic_us() -> int:
    return time.monotonic_ns() // 1000


class LeaseChore:
    """Watches all leases. ``on_expired`` is told of each that ended here, for ``/metrics``."""

    def __init__(
        self,
        records: Records,
        *,
        lease_us: int = LEASE_US,
        monotonic_us: Callable[[], int] = _monotonic_us,
        on_expired: Callable[[], None] = nothing,
    ) -> None:
        self._records = records
        self._on_expired = on_expired
        self._watch = LeaseWatch(lease_us, monotonic_us=monotonic_us)
        self._monotonic_us = monotonic_us
        self._looked_at: int | None = None

    @property
    def chore(self) -> Chore:
        """To be done four times a second: between a worker's last renewal and the end of its lease lie two looks that may come late."""
        return Chore("leases", 0.25, self.work, missed=self.missed)

    def missed(self) -> None:
        """Nobody was watching: begins anew."""
        self._watch.database_was_away()
        self._looked_at = None

    def work(self) -> bool:
        """Looks once. Raises RecordsUnavailable."""
        now = self._monotonic_us()
        if self._records.problem or (self._looked_at is not None and now - self._looked_at > _LONGEST_GAP_US):
            self._watch.database_was_away()
        self._looked_at = now
        with self._records.reading() as connection:
            over = self._watch.over(leases_held(connection))
        waiting = [(lease, self._records.submit(Expire(lease.attempt_id, lease.claim_number, lease.renewed))) for lease in over]
        for lease, future in waiting:
            try:
                future.result(_PATIENCE_S)
            except RecordsError as error:
                self._tell(lease, error.message)
            else:
                self._on_expired()
                self._tell(lease, "")
        return False

    def _tell(self, lease: Lease, problem: str) -> None:
        _log.warning("lease_over", attempt=str(lease.attempt_id), claim_number=lease.claim_number, problem=problem)
