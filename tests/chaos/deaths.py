"""Deaths of workers: what each held, and how long until that work started again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass

from kivuko.records import AttemptState, Id, LiveState
from kivuko.records.database import Connection

__all__ = ["Death", "Restart", "held_by", "restarts_of"]

_NEVER_S = float("inf")


@dataclass(frozen=True)
class Death:
    """A worker that was killed or cut off at ``at_us``, with the Attempts it held then."""

    worker: str
    at_us: int
    held: tuple[Id, ...]


@dataclass(frozen=True)
class Restart:
    """An Attempt that somebody died with: seconds from the death until somebody else had claimed it (or its successor), and started it."""

    claimed_s: float
    started_s: float


@dataclass(frozen=True)
class _Try:
    claimed_at: int
    started_at: int
    ended: bool = False


def held_by(connection: Connection, worker: str) -> tuple[Id, ...]:
    """The Attempts that a worker has claimed or started, as the queue knows it."""
    rows = connection.query(
        "SELECT attempt_id FROM live_attempt WHERE worker_id IN (SELECT id FROM worker WHERE name = ?) AND state IN (?, ?)",
        worker,
        int(LiveState.CLAIMED),
        int(LiveState.STARTED),
    )
    return tuple(Id(attempt) for (attempt,) in rows)


def restarts_of(connection: Connection, deaths: Sequence[Death], given_up: Set[Id]) -> list[Restart]:
    """What became of each Attempt that somebody died with, but for those given up; infinite seconds when nobody started it again."""
    tries: dict[Id, list[_Try]] = defaultdict(list)
    order_of: dict[Id, Id] = {}
    for attempt, order, state, claimed_at, started_at, finished_at in connection.query(
        "SELECT id, work_order_id, state, claimed_at, started_at, finished_at FROM attempt"
    ):
        order_of[Id(attempt)] = Id(order)
        if claimed_at is not None and started_at is not None:
            tries[Id(order)].append(_Try(claimed_at, started_at))
        if finished_at is not None and AttemptState(state) is not AttemptState.LOST:
            # All had been done but to tell the end: then that is what went on.
            tries[Id(order)].append(_Try(finished_at, finished_at, ended=True))
    died_at: dict[Id, list[int]] = defaultdict(list)
    for death in deaths:
        for attempt in death.held:
            died_at[order_of[attempt]].append(death.at_us)
    held = [(death, attempt) for death in deaths for attempt in death.held if attempt not in given_up]
    found = [_restart(death, tries[order_of[attempt]], died_at[order_of[attempt]]) for death, attempt in held]
    return [each for each in found if each is not None]


def _restart(death: Death, tries: Sequence[_Try], deaths_us: Sequence[int]) -> Restart | None:
    """None when whoever took the work died with it, too, before it was started (that death counts), or when there was none left."""
    first = min((each for each in tries if each.started_at > death.at_us), key=lambda each: each.started_at, default=None)
    if first is None and any(each.ended for each in tries):
        # Its end was on the way to the disk when the queue was looked at: nothing was left to go on with.
        return None
    if any(death.at_us < other and (first is None or other < first.started_at) for other in deaths_us):
        return None
    if first is None:
        return Restart(_NEVER_S, _NEVER_S)
    return Restart((first.claimed_at - death.at_us) / 1_000_000, (first.started_at - death.at_us) / 1_000_000)
