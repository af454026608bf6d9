"""The configuration in memory: a request costs no query, and nobody is refused by what is out of date (server-and-data §5).

An entry is read when it is first asked for, and again after ``forget``. Before a request is refused the lanes ask for it afresh, which
reads it at most once a second, so that a new inbox or key works at once everywhere, and guessing addresses costs the database little.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from kivuko.server.lanes.ingest.configuration import ConfigurationSource, Inbox, Webhook

__all__ = ["FRESH_FOR_S", "ConfigurationCache"]

V = TypeVar("V")

FRESH_FOR_S = 1.0
_MOST_ENTRIES = 50_000
_READS_AT_ONCE = 4


@dataclass(frozen=True)
class _Entry(Generic[V]):
    value: V | None
    read_at_s: float
    generation: int


class _Shelf(Generic[V]):
    """Entries of one kind. All but ``forget`` happens in the event loop."""

    def __init__(self, read: Callable[[str], V | None], now_s: Callable[[], float]) -> None:
        self._read = read
        self._now_s = now_s
        self._entries: OrderedDict[str, _Entry[V]] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[V | None]] = {}
        self._turns = asyncio.Semaphore(_READS_AT_ONCE)
        self.generation = 0

    async def get(self, key: str, *, fresh: bool) -> V | None:
        entry = self._entries.get(key)
        if entry and entry.generation == self.generation and not (fresh and self._now_s() - entry.read_at_s >= FRESH_FOR_S):
            return entry.value
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._fetch(key))
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        # Whoever waits may go away; the others still wait for the same task.
        return await asyncio.shield(task)

    async def _fetch(self, key: str) -> V | None:
        async with self._turns:
            began, generation = self._now_s(), self.generation
            value = await asyncio.to_thread(self._read, key)
        self._entries.pop(key, None)
        self._entries[key] = _Entry(value, began, generation)
        if len(self._entries) > _MOST_ENTRIES:
            self._entries.popitem(last=False)
        return value


class ConfigurationCache:
    """A ``Configuration`` that remembers what a source said. ``now_s`` is a monotonic clock."""

    def __init__(self, source: ConfigurationSource, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._inboxes: _Shelf[Inbox] = _Shelf(source.read_inbox, now_s)
        self._webhooks: _Shelf[Webhook] = _Shelf(source.read_webhook, now_s)

    async def inbox(self, secret: str, *, fresh: bool = False) -> Inbox | None:
        """The inbox with this secret. Raises what the source raises."""
        return await self._inboxes.get(secret, fresh=fresh)

    async def webhook(self, address: str, *, fresh: bool = False) -> Webhook | None:
        """The webhook at this address. Raises what the source raises."""
        return await self._webhooks.get(address, fresh=fresh)

    def forget(self) -> None:
        """Something has changed: every entry is read again before it is used. May be called from any thread."""
        self._inboxes.generation += 1
        self._webhooks.generation += 1
