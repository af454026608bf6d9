"""Lists of workers, the last seen first. One that comes back between two pages stands on the first, which is then read already.

All that were seen in the last minute count as seen now: else they would change places all the time.
"""

from __future__ import annotations

from dataclasses import dataclass

from kivuko.records.database import Connection
from kivuko.records.ids import Id
from kivuko.records.listing import Conditions, count_rows
from kivuko.records.rows import Worker

__all__ = ["WorkerPlace", "count_workers", "list_workers"]

_NOW_US = 60_000_000
_LAST = Id(b"\xff" * 16)


@dataclass(frozen=True)
class WorkerPlace:
    """A place in a list: after the worker ``id``. ``as_of`` (µs) is from when on a worker counts as seen now, the same on all pages."""

    as_of: int
    seen: int
    id: Id

    @classmethod
    def first(cls, connection: Connection) -> WorkerPlace:
        """Where a list begins that is made now."""
        as_of = connection.now_us() - _NOW_US
        return cls(as_of, as_of, _LAST)

    def at(self, worker: Worker) -> WorkerPlace:
        """The place after a worker of the same list."""
        return WorkerPlace(self.as_of, min(worker.last_seen_at, self.as_of), worker.id)


def list_workers(connection: Connection, place: WorkerPlace, at_most: int) -> list[Worker]:
    """The workers after a place, the last seen first."""
    return connection.load(Worker, "workers_listed", as_of=place.as_of, seen=place.seen, id=place.id, at_most=at_most)


def count_workers(connection: Connection, at_most: int) -> int:
    """How many workers there are, counted up to a bound."""
    return count_rows(connection, "worker", Conditions(), at_most)
