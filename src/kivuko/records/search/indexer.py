"""Fills the index: follows the records, a little behind, and goes over the last minute a second time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kivuko.records.database import Connection
from kivuko.records.ids import Id
from kivuko.records.opening import Records
from kivuko.records.search.entries import Entry, EntryKind
from kivuko.records.search.index import SearchIndex
from kivuko.records.search.streams import Edits, Item, Logs, Messages, Stream

__all__ = ["Indexer"]

_BATCH = 500
_ITEMS_AT_ONCE = 32
"""Bodies in memory at once: each may have a megabyte."""
_WORDS_AT_ONCE = 200_000
"""Each commit makes a segment that is merged later: few large ones are cheaper."""
_YOUNGEST_US = 500_000
"""What is younger is left for the next step: its neighbours may not be committed yet."""
_SETTLED_US = 60_000_000
"""What is older comes no more."""


@dataclass
class _Progress:
    """``head`` is how far a stream was read, ``settled`` how far it was read twice, or once and late enough."""

    head: bytes
    settled: bytes


class Indexer:
    """Brings an index up to date, step by step. ``erases`` says which projects keep nothing: their texts are passed over.

    ``now_us`` is the clock that the records are on: the database's when not given.
    """

    def __init__(
        self,
        records: Records,
        index: SearchIndex,
        *,
        erases: Callable[[Id], bool] = lambda project_id: False,
        now_us: Callable[[Connection], int] = lambda connection: connection.now_us(),
    ) -> None:
        self._records = records
        self._index = index
        self._erases = erases
        self._now_us = now_us
        self._streams: tuple[Stream, ...] = (Messages(), Edits(), Logs())
        self._progress: dict[str, _Progress] = {}
        self._behind_s = 0.0

    @property
    def behind_s(self) -> float:
        """How far the index was behind after the last step, in seconds: for ``/metrics``."""
        return self._behind_s

    def step(self) -> bool:
        """Indexes a batch of each stream; whether there is more to do at once. Raises RecordsUnavailable."""
        with self._records.reading() as connection:
            now_us = self._now_us(connection)
            left = [stream for stream in self._streams if self._advance(connection, stream, now_us)]
        self._behind_s = max(((now_us - stream.time_of(self._of(stream).head)) / 1_000_000 for stream in left), default=0.0)
        return bool(left)

    def begin_anew(self) -> None:
        """Empties the index; the next steps build it again."""
        self._index.clear()
        self._progress.clear()

    def _of(self, stream: Stream) -> _Progress:
        if stream.name not in self._progress:
            mark = self._index.mark(stream.name)
            self._progress[stream.name] = _Progress(mark, mark)
        return self._progress[stream.name]

    def _advance(self, connection: Connection, stream: Stream, now_us: int) -> bool:
        progress = self._of(stream)
        found = stream.read(connection, progress.head, stream.mark_at(now_us - _YOUNGEST_US), _BATCH)
        self._take(connection, stream, found)
        old = stream.mark_at(now_us - _SETTLED_US)
        if found:
            if progress.settled == progress.head and found[-1].mark < old:
                self._settle(stream, progress, found[-1].mark)
            progress.head = found[-1].mark
        if len(found) == _BATCH:
            return True
        if stream.time_of(old) - stream.time_of(progress.settled) > _SETTLED_US:
            self._go_over(connection, stream, progress, old)
        return False

    def _go_over(self, connection: Connection, stream: Stream, progress: _Progress, until: bytes) -> None:
        """Finds what was committed behind the head."""
        after = progress.settled
        while found := stream.read(connection, after, until, _BATCH):
            missing = self._missing(stream, found)
            self._take(connection, stream, missing)
            after = found[-1].mark
        self._settle(stream, progress, until)
        progress.head = max(progress.head, until)

    def _missing(self, stream: Stream, items: list[Item]) -> list[Item]:
        """Messages and edits of which nothing is in the index, and Attempts without a line there."""
        known = self._known(stream, items)
        if stream.kind is not EntryKind.LOG:
            return [item for item in items if (item.owner_id, item.version) not in known]
        owners = {owner_id for owner_id, _ in known}
        return [item for item in items if item.owner_id not in owners]

    def _known(self, stream: Stream, items: list[Item]) -> set[tuple[Id, int]]:
        """What the index has of the messages or Attempts among them."""
        known: set[tuple[Id, int]] = set()
        for project_id in {item.project_id for item in items}:
            known |= self._index.places(stream.kind, project_id, [item.owner_id for item in items if item.project_id == project_id])
        return known

    def _settle(self, stream: Stream, progress: _Progress, mark: bytes) -> None:
        self._index.set_mark(stream.name, mark)
        progress.settled = mark

    def _take(self, connection: Connection, stream: Stream, items: list[Item]) -> None:
        kept = [item for item in items if not self._erases(item.project_id)]
        if stream.kind is EntryKind.LOG:
            # After a late report the log may be another one.
            known = {owner_id for owner_id, _ in self._known(stream, kept)}
            for item in kept:
                if item.owner_id in known:
                    self._index.replace_owner(stream.kind, item.project_id, item.owner_id)
        waiting: list[Entry] = []
        words = 0
        for first in range(0, len(kept), _ITEMS_AT_ONCE):
            for entry in stream.entries(connection, self._records.payloads, kept[first : first + _ITEMS_AT_ONCE]):
                if entry.words:
                    waiting.append(entry)
                    words += len(entry.words)
                if words >= _WORDS_AT_ONCE:
                    self._index.add(waiting)
                    waiting, words = [], 0
        if waiting:
            self._index.add(waiting)
