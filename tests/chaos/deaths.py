"""Deaths of workers: what each held, and how long until that work started again."""

from __future__ import annotations

import bisect
from collections import defaultdict
from dataclasses import dataclass

from kivuko.records import Id, LiveState
from kivuko.records.database import Connection
from kivuko.server.lanes.workers import Identity

__all__ = ["Death", "held_by", "restarts_s"]


@dataclass(frozen=True)
class Death:
    """A worker that was killed or cut off at ``at_us``, with the Attempts it held then."""

    worker: str
    at_us: int
    held: tuple[Id, ...]


def held_by(connection: Connection, worker: str) -> tuple[Id, ...]:
    """The Attempts that a worker has claimed or started, as the queue knows it."""
    rows = connection.query(
        "SELECT attempt_id FROM live_attempt WHERE worker_id = ? AND state IN (?, ?)",
        Identity(worker).key,
        int(LiveState.CLAIMED),
        int(LiveState.STARTED),
    )
    return tuple(Id(attempt) for (attempt,) in rows)


def restarts_s(connection: Connection, deaths: list[Death]) -> list[float]:
    """For each Attempt that somebody died with: the seconds from the death to the next start (of it or of its successor) elsewhere.

    An Attempt whose end had been reported, but not answered, before the death is over: it does not count. Infinity when nothing started.
    """
    starts: dict[Id, list[int]] = defaultdict(list)
    order_of: dict[Id, Id] = {}
    done: dict[Id, int] = {}
    for attempt, order, started_at, finished_at in connection.query("SELECT id, work_order_id, started_at, finished_at FROM attempt"):
        order_of[Id(attempt)] = Id(order)
        if started_at is not None:
            bisect.insort(starts[Id(order)], started_at)
        if finished_at is not None:
            done[Id(attempt)] = finished_at
    return [
        found for death in deaths for attempt in death.held if (found := _wait_s(death, attempt, starts[order_of[attempt]])) is not None
    ]


def _wait_s(death: Death, attempt: Id, starts: list[int]) -> float | None:
    later = [start for start in starts if start > death.at_us]
    return (later[0] - death.at_us) / 1_000_000 if later else float("inf")
