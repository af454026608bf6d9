"""Attempts that a foreign worker holds beyond their time limit are lost: nobody else would end them (server-and-data §6)."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from kivuko.errors import RecordsError, RecordsUnavailable
from kivuko.platform.execution.limits import Limits, limits_of
from kivuko.records import Expire, Records
from kivuko.records.reading import ForeignHold, held_by_foreign_workers

__all__ = ["Overlong"]

_log = structlog.get_logger(__name__)

_PATIENCE_S = 30


class Overlong:
    """Ends what runs too long: the time limit of its Attempt, and the grace that installing adaptors gets."""

    def __init__(self, records: Records, limits: Limits, *, now_us: Callable[[], int] | None = None) -> None:
        self._records = records
        self._limits = limits
        self._now_us = now_us

    def work(self) -> bool:
        """Looks once. Raises RecordsUnavailable."""
        with self._records.reading() as connection:
            now_us = self._now_us() if self._now_us else connection.now_us()
            held = held_by_foreign_workers(connection, now_us - self._limits.grace_s * 1_000_000)
        for hold in held:
            if hold.started_at + self._allowed_us(hold) < now_us:
                self._end(hold)
        return False

    def _allowed_us(self, hold: ForeignHold) -> int:
        return limits_of(self._limits, hold.options, job_logs=True, output_dataclips=True).token_lives_s * 1_000_000

    def _end(self, hold: ForeignHold) -> None:
        try:
            self._records.submit(Expire(hold.attempt_id, hold.claim_number, hold.renewed)).result(_PATIENCE_S)
        except RecordsUnavailable:
            raise
        except RecordsError as error:
            _log.warning("overlong_attempt_left", attempt=str(hold.attempt_id), error=error.message)
        else:
            _log.warning("overlong_attempt_ended", attempt=str(hold.attempt_id))
