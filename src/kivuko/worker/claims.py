"""Claiming: asks for work when slots are free and there may be some, one question at a time for each workloop (worker-protocol §5)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from kivuko.worker.execution import ClaimedAttempt
from kivuko.worker.link import QUEUE, Link, Reply
from kivuko.worker.workloops import Workloop

__all__ = ["Claims"]

_SLOWER = 1.15

Take = Callable[["Claims", ClaimedAttempt, float], None]
"""Gets each claimed Attempt, with the moment (monotonic) at which it was asked for."""


class Claims:
    """The claims of one workloop. Safe from any thread; nothing here waits.

    A claim goes out when a slot is free and the server said that there is work, when the last claim got all that it asked for, or when the
    pause is over: it begins with the shortest of ``poll_s`` and grows while there is nothing.
    """

    def __init__(self, link: Link, loop: Workloop, worker_name: str | None, poll_s: tuple[float, float], take: Take) -> None:
        self._link = link
        self._loop = loop
        self._name = worker_name
        self._poll_s = poll_s
        self._take = take
        self._lock = threading.Lock()
        self._free = loop.slots
        self._open = False
        self._asking = False
        self._hint = False
        self._pause_s = poll_s[0]
        self._not_before = 0.0

    @property
    def free(self) -> int:
        """How many slots are free."""
        return self._free

    def open(self) -> None:
        """The queue is joined: claims may go out."""
        with self._lock:
            self._open, self._asking = True, False
        self.hint()

    def close(self) -> None:
        """No further claims; what an outstanding one brings is still taken."""
        with self._lock:
            self._open = False

    def hint(self) -> None:
        """There may be work."""
        with self._lock:
            self._hint = True
        self.look()

    def freed(self) -> None:
        """A slot is free again."""
        with self._lock:
            self._free += 1
        self.look()

    def look(self) -> None:
        """Asks if it is time to."""
        with self._lock:
            if not self._open or self._asking or self._free <= 0 or not (self._hint or time.monotonic() >= self._not_before):
                return
            self._asking, self._hint = True, False
            demand = self._free
        asked_at = time.monotonic()
        payload = {"demand": demand, "queues": list(self._loop.queues), "worker_name": self._name}
        self._link.push(QUEUE, "claim", payload).add_done_callback(lambda done: self._answered(done, demand, asked_at))

    def _answered(self, done: Future[Reply], demand: int, asked_at: float) -> None:
        claimed = [] if done.exception() is not None else _read(done.result())
        with self._lock:
            self._asking = False
            self._free -= len(claimed)
            # More may be waiting behind what came.
            self._hint = self._hint or len(claimed) >= demand
            self._pause_s = self._poll_s[0] if claimed else min(self._poll_s[1], self._pause_s * _SLOWER)
            self._not_before = time.monotonic() + self._pause_s
        for each in claimed:
            self._take(self, each, asked_at)
        self.look()


def _read(reply: Reply) -> list[ClaimedAttempt]:
    runs = reply.response.get("runs") if reply.ok and isinstance(reply.response, Mapping) else None
    return [_read_one(row) for row in runs if isinstance(row, Mapping)] if isinstance(runs, list | tuple) else []


def _read_one(row: Mapping[str, object]) -> ClaimedAttempt:
    number = row.get("claim_number")
    return ClaimedAttempt(
        str(row.get("id")), str(row.get("token")), str(row.get("snapshot_id") or ""), number if isinstance(number, int) else 0
    )
