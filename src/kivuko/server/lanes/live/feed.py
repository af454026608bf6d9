"""What changes in projects, on its way to the pages that show it: gathered for a moment, the states read once for all, then handed out.

A page that reads too slowly loses what waits for it and is told to read its list again.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from kivuko.errors import RecordsUnavailable
from kivuko.records import Change, Id, Records
from kivuko.records.live_states import live_states
from kivuko.server.lanes.live.events import event_text
from kivuko.server.lanes.live.ring import Happened, Ring
from kivuko.server.times import rfc3339

__all__ = ["TOPICS", "Feed", "Page"]

TOPICS: Mapping[str, str] = {
    "messages": "message",
    "work_orders": "work_order",
    "attempts": "attempt",
    "runs": "run",
    "workflows": "workflow",
}
"""The topics that a page may ask for, and the kind of change that each is about."""

_KINDS = frozenset(TOPICS.values())
_GATHERED_S = 0.05
_MOST_WAITING = 1_000


class Page:
    """An open page: the kinds of one project that it shows, and what waits to be sent to it."""

    def __init__(self, project_id: Id, kinds: Collection[str]) -> None:
        self.project_id = project_id
        self.kinds = frozenset(kinds)
        self.changed = asyncio.Event()
        self.closed = False
        self._waiting: deque[bytes] = deque()
        self._lost = False

    def put(self, events: Iterable[bytes]) -> bool:
        """Adds events; False when the page is too slow: then what waits is forgotten."""
        self._waiting.extend(events)
        if len(self._waiting) > _MOST_WAITING:
            self.lose()
            return False
        self.changed.set()
        return True

    def lose(self) -> None:
        """The page has to read again what it shows."""
        self._waiting.clear()
        self._lost = True
        self.changed.set()

    def take(self, newest: str) -> bytes:
        """What waits, as the bytes to be sent."""
        self.changed.clear()
        waiting = [event_text({"reason": "missed"}, name="reset", event_id=newest)] if self._lost else []
        self._lost = False
        waiting += self._waiting
        self._waiting.clear()
        return b"".join(waiting)


class Feed:
    """All pages of projects in this process. Made in the loop that it serves; ``heard`` may be called from any thread.

    ``on_dropped`` hears of each page that was too slow.
    """

    def __init__(
        self,
        records: Records,
        *,
        on_dropped: Callable[[], None] = lambda: None,
        gathered_s: float = _GATHERED_S,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self.ring = Ring()
        self._records = records
        self._on_dropped = on_dropped
        self._gathered_s = gathered_s
        self._now_us = now_us
        self._loop = asyncio.get_running_loop()
        self._heard: deque[Change] = deque()
        self._told = False
        self._pages: defaultdict[Id, set[Page]] = defaultdict(set)
        self._handing_out: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    def heard(self, changes: Sequence[Change]) -> None:
        """Takes note of changes: to be subscribed to the hub."""
        relevant = [change for change in changes if change.kind in _KINDS and change.project_id]
        if not relevant:
            return
        self._heard.extend(relevant)
        # Two threads that get here together tell the loop twice, which does no harm.
        if not self._told and not self._loop.is_closed():
            self._told = True
            self._loop.call_soon_threadsafe(self._loop.call_later, self._gathered_s, self._gather)

    def missed(self) -> None:
        """Changes of other nodes were missed: every page has to read again. May be called from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._lose_all)

    async def open(self, project_id: Id, kinds: Collection[str], last_name: str | None) -> Page:
        """A page, with what it has missed since the event that it saw last."""
        page = Page(project_id, kinds)
        async with self._turn:
            self._pages[project_id].add(page)
            missed = self.ring.after(last_name, project_id) if last_name else []
            if missed is None:
                page.lose()
            elif missed:
                await self._hand_out(missed, [page])
        return page

    def close(self, page: Page) -> None:
        """The page is gone."""
        pages = self._pages[page.project_id]
        pages.discard(page)
        if not pages:
            del self._pages[page.project_id]

    def _gather(self) -> None:
        self._told = False
        events = []
        now_us = self._now_us()
        while self._heard:
            change = self._heard.popleft()
            if change.project_id:
                events.append(self.ring.add(change.project_id, change.kind, change.id, now_us))
        shown = [event for event in events if event.project_id in self._pages]
        if shown:
            task = asyncio.create_task(self._to_all(shown))
            self._handing_out.add(task)
            task.add_done_callback(self._handing_out.discard)

    async def _to_all(self, events: Sequence[Happened]) -> None:
        # In turn: a later batch may not overtake an earlier one whose states are still being read.
        async with self._turn:
            await self._hand_out(events, [page for pages in self._pages.values() for page in pages])

    async def _hand_out(self, events: Sequence[Happened], pages: Sequence[Page]) -> None:
        newest = {(event.kind, event.id): event for event in events}
        ordered = sorted(newest.values(), key=lambda event: event.number)
        states = await asyncio.to_thread(self._states, ordered)
        texts = [(event, self._text(event, states.get(event.id))) for event in ordered]
        for page in pages:
            own = [text for event, text in texts if event.project_id == page.project_id and event.kind in page.kinds]
            if own and not page.put(own):
                self._on_dropped()

    def _states(self, events: Iterable[Happened]) -> dict[Id, str]:
        by_kind: defaultdict[str, list[Id]] = defaultdict(list)
        for event in events:
            by_kind[event.kind].append(event.id)
        found: dict[Id, str] = {}
        try:
            with self._records.reading() as connection:
                for kind, ids in by_kind.items():
                    found.update(live_states(connection, kind, ids))
        except RecordsUnavailable:
            # What changed is told anyway; its state is read with the page.
            return found
        return found

    def _text(self, event: Happened, state: str | None) -> bytes:
        data = {"kind": event.kind, "id": str(event.id), "state": state, "at": rfc3339(event.at_us)}
        return event_text(data, event_id=self.ring.name_of(event.number))

    def _lose_all(self) -> None:
        for pages in self._pages.values():
            for page in pages:
                page.lose()
