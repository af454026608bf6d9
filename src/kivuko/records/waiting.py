"""What waits for a writer: two queues, urgent before bulk, and no intent overtakes an earlier one of its key."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from kivuko.records.ids import Id
from kivuko.records.intents import Pending

__all__ = ["Waiting"]

URGENT_INTENTS = 500
URGENT_BYTES = 2_000_000
BULK_INTENTS = 64
BULK_BYTES = 512_000
URGENT_IN_A_ROW = 8
"""So many urgent batches, then a bulk one if any waits: logs must not wait for ever under load."""
BULK_RESTS_S = 0.01
"""So long what is bulk waits for company before it gets a transaction of its own: mostly its Attempt ends, which takes it along."""


class Waiting:
    """Intents on their way to one writer; any thread may put some in."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._urgent: deque[Pending[Any]] = deque()
        self._bulk: dict[Id | None, deque[Pending[Any]]] = {}
        self._bulk_since_s = math.inf
        self._urgent_in_a_row = 0
        self._closed = False
        self._last_urgent_s = -math.inf

    @property
    def quiet_s(self) -> float:
        """How long nothing urgent has come, in seconds."""
        return time.monotonic() - self._last_urgent_s

    def __len__(self) -> int:
        with self._changed:
            return len(self._urgent) + sum(map(len, self._bulk.values()))

    def put(self, pending: Pending[Any], *, bulk: bool = False) -> bool:
        """Adds an intent; False when closed."""
        with self._changed:
            if self._closed:
                return False
            if bulk:
                self._bulk_since_s = min(self._bulk_since_s, time.monotonic())
                self._bulk.setdefault(pending.intent.key, deque()).append(pending)
            else:
                self._urgent.append(pending)
                self._last_urgent_s = time.monotonic()
            self._changed.notify()
        return True

    def close(self) -> None:
        """Takes no more; what waits is still handed out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def take(self, at_most_s: float | None = None) -> list[Pending[Any]] | None:
        """The next batch, waiting for one; empty when closed and nothing is left, None when so long nothing has come."""
        until_s = math.inf if at_most_s is None else time.monotonic() + at_most_s
        with self._changed:
            while True:
                rest_s = self._rest_s()
                batch = self._next_batch() if self._urgent or rest_s <= 0 else []
                if batch:
                    return batch
                if self._closed and not self._urgent and not self._bulk:
                    return []
                left_s = rest_s if self._bulk else until_s - time.monotonic()
                if left_s <= 0:
                    return None
                self._changed.wait(None if left_s == math.inf else left_s)

    def _rest_s(self) -> float:
        """How long bulk may rest still."""
        if self._closed or sum(map(len, self._bulk.values())) >= BULK_INTENTS:
            return 0.0
        return self._bulk_since_s + BULK_RESTS_S - time.monotonic()

    def _next_batch(self) -> list[Pending[Any]]:
        bulk_turn = self._urgent_in_a_row >= URGENT_IN_A_ROW
        batch = (self._take_bulk() if bulk_turn else []) or self._take_urgent()
        if batch and not bulk_turn:
            self._urgent_in_a_row += 1
            return batch
        self._urgent_in_a_row = 0
        return batch or self._take_bulk()

    def _take_urgent(self) -> list[Pending[Any]]:
        batch: list[Pending[Any]] = []
        size_bytes = 0
        while self._urgent and len(batch) < URGENT_INTENTS and size_bytes < URGENT_BYTES:
            pending = self._urgent.popleft()
            if pending.intent.ends_key:
                batch.extend(_begun(self._bulk.pop(pending.intent.key, ())))
            begun = _begun([pending])
            batch.extend(begun)
            size_bytes += sum(each.intent.size_bytes for each in begun)
        if not self._bulk:
            self._bulk_since_s = math.inf
        return batch

    def _take_bulk(self) -> list[Pending[Any]]:
        batch: list[Pending[Any]] = []
        size_bytes = 0
        for key, queue in list(self._bulk.items()):
            while queue and len(batch) < BULK_INTENTS and size_bytes < BULK_BYTES:
                begun = _begun([queue.popleft()])
                batch.extend(begun)
                size_bytes += sum(each.intent.size_bytes for each in begun)
            if not queue:
                del self._bulk[key]
        self._bulk_since_s = -math.inf if self._bulk else math.inf
        return batch


def _begun(waiting: Iterable[Pending[Any]]) -> list[Pending[Any]]:
    # Whoever gave up waiting has cancelled the future: then nothing is written for them.
    return [pending for pending in waiting if pending.future.set_running_or_notify_cancel()]
