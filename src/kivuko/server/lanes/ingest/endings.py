"""Waiting for Attempts to end, for senders that are answered after completion.

An end is heard from the records' changes on the node that wrote it; a look at the database from time to time is the net under that.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress

from kivuko.errors import RecordsUnavailable
from kivuko.records import AttemptRecord, Change, Id, Records, read_attempt

__all__ = ["Endings"]

_LOOK_EVERY_S = 2.0


class Endings:
    """Who waits for which Attempt, of which records. Made in the event loop that it serves; ``heard`` may be called from any thread."""

    def __init__(self, records: Records, *, look_every_s: float = _LOOK_EVERY_S) -> None:
        self.records = records
        self._look_every_s = look_every_s
        self._loop = asyncio.get_running_loop()
        self._waiting: defaultdict[Id, list[asyncio.Event]] = defaultdict(list)

    def heard(self, changes: Sequence[Change]) -> None:
        """Takes note of what changed: to be called by the records' ``on_change``."""
        ids = [change.id for change in changes if change.kind == "attempt" and change.id in self._waiting]
        if ids and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, ids)

    async def of(self, attempt_ids: Sequence[Id], timeout_s: float) -> list[AttemptRecord]:
        """The records of Attempts once all of them have ended. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            return [await self._ended(each) for each in attempt_ids]

    async def _ended(self, attempt_id: Id) -> AttemptRecord:
        changed = asyncio.Event()
        self._waiting[attempt_id].append(changed)
        try:
            while True:
                changed.clear()
                record = await asyncio.to_thread(self._read, attempt_id)
                if record and record.attempt.state.finished:
                    return record
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._look_every_s):
                        await changed.wait()
        finally:
            self._waiting[attempt_id].remove(changed)
            if not self._waiting[attempt_id]:
                del self._waiting[attempt_id]

    def _wake(self, ids: Sequence[Id]) -> None:
        for each in ids:
            for changed in self._waiting.get(each, ()):
                changed.set()

    def _read(self, attempt_id: Id) -> AttemptRecord | None:
        try:
            with self.records.reading() as connection:
                return read_attempt(connection, attempt_id)
        except RecordsUnavailable:
            # The Attempt goes on, whether the database can be asked just now or not.
            return None
