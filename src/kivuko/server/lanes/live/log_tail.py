"""The log of an Attempt as it grows: read from the table, so that a stream goes on exactly where it stopped."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress

from kivuko.errors import RecordsUnavailable
from kivuko.records import Change, Id, LogLine, Records, log_after
from kivuko.records.live_states import attempt_standing
from kivuko.server.lanes.live.events import event_text
from kivuko.server.times import rfc3339

__all__ = ["LogTails"]

_AT_ONCE = 500
_LOOK_EVERY_S = 2.0


class LogTails:
    """All streams of logs in this process. Made in the loop that it serves; ``heard`` may be called from any thread."""

    def __init__(self, records: Records, *, look_every_s: float = _LOOK_EVERY_S) -> None:
        self._records = records
        self._look_every_s = look_every_s
        self._loop = asyncio.get_running_loop()
        self._waiting: defaultdict[Id, set[asyncio.Event]] = defaultdict(set)

    def heard(self, changes: Sequence[Change]) -> None:
        """Takes note of changes: to be subscribed to the hub."""
        ids = {change.id for change in changes if change.kind in ("log", "attempt") and change.id in self._waiting}
        if ids and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, ids)

    async def follow(self, attempt_id: Id, seq: int) -> AsyncGenerator[bytes]:
        """The lines after ``seq`` as events, then the end; empty bytes when there is nothing new for a while."""
        grown = asyncio.Event()
        self._waiting[attempt_id].add(grown)
        try:
            while True:
                grown.clear()
                lines, state = await asyncio.to_thread(self._read, attempt_id, seq)
                if lines:
                    seq = lines[-1].seq
                    yield b"".join(_line(line) for line in lines)
                elif state is not None:
                    yield event_text({"state": state}, name="end", event_id=seq)
                    return
                else:
                    yield b""
                    with suppress(TimeoutError):
                        async with asyncio.timeout(self._look_every_s):
                            await grown.wait()
        finally:
            self._waiting[attempt_id].discard(grown)
            if not self._waiting[attempt_id]:
                del self._waiting[attempt_id]

    def _read(self, attempt_id: Id, seq: int) -> tuple[list[LogLine], str | None]:
        """The next lines, and the Attempt's state when it has ended: looked at first, for the log is complete when the end is seen."""
        try:
            with self._records.reading() as connection:
                standing = attempt_standing(connection, attempt_id)
                lines = log_after(connection, attempt_id, seq, _AT_ONCE)
        except RecordsUnavailable:
            return [], None
        if standing is None:
            return lines, "deleted"
        return lines, standing.state.name.lower() if standing.state.finished else None

    def _wake(self, ids: set[Id]) -> None:
        for each in ids:
            for grown in self._waiting.get(each, ()):
                grown.set()


def _line(line: LogLine) -> bytes:
    data = {
        "seq": line.seq,
        "run_id": str(line.run_id) if line.run_id else None,
        "level": line.level.name.lower(),
        "source": line.source,
        "at": rfc3339(line.at_us),
        "message": line.message,
    }
    return event_text(data, event_id=line.seq)
