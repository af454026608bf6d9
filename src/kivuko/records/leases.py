"""Leases: who still works on what. Renewed by heartbeat; taken away carefully (server-and-data §6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass

from kivuko.records.database import Conflict
from kivuko.records.ids import Id
from kivuko.records.intents import Intent, Transaction
from kivuko.records.rows import Worker

__all__ = [
    "FOREIGN_LEASE_US",
    "LEASE_US",
    "Held",
    "Lease",
    "LeaseWatch",
    "Register",
    "Renew",
    "Renewal",
    "Unpark",
    "register",
    "renew",
    "unpark",
]

LEASE_US = 12_000_000
FOREIGN_LEASE_US = 90_000_000
"""OpenFn's own workers beat every 30 s."""
_UNPARK_AT_MOST = 500


@dataclass(frozen=True)
class Held:
    """An Attempt that a worker says it holds."""

    attempt_id: Id
    claim_number: int


@dataclass(frozen=True)
class Renewal:
    """What a heartbeat is answered: Attempts that are no longer the worker's (it stops them), and those to be cancelled."""

    gone: frozenset[Id]
    cancel: frozenset[Id]


@dataclass(frozen=True)
class Register(Intent[None]):
    """A worker connects, or comes back."""

    family = "register"
    worker: Worker


@dataclass(frozen=True)
class Renew(Intent[Renewal]):
    """A heartbeat: the Attempts that the worker has joined, all in one. A join is a heartbeat for one Attempt."""

    family = "renew"
    rank = 0
    alone = True
    worker_id: Id
    held: tuple[Held, ...]
    lease_us: int = LEASE_US
    slots_free: int = 0


@dataclass(frozen=True)
class Unpark(Intent[int]):
    """The clock: parked Attempts whose time has come join the queue; gives how many. Called until it gives 0."""

    family = "unpark"
    rank = 0
    alone = True


def register(transaction: Transaction, intents: Sequence[Register]) -> list[None]:
    """Stores workers."""
    transaction.connection.write([intent.worker for intent in intents], Conflict.REPLACE)
    return [None] * len(intents)


def renew(transaction: Transaction, intents: Sequence[Renew]) -> list[Renewal]:
    """Renews leases, one update a worker."""
    connection = transaction.connection
    workers = sorted({intent.worker_id for intent in intents})
    # All locks in one statement, by key: one worker after the other would be another order than the reports'.
    owned = {(Id(attempt), number, Id(worker)) for attempt, number, worker in connection.fetch("claimed_by", worker_ids=workers)}
    return [_renew(transaction, intent, owned) for intent in intents]


def _renew(transaction: Transaction, intent: Renew, owned: Set[tuple[Id, int, Id]]) -> Renewal:
    connection = transaction.connection
    connection.change("worker_seen", id=intent.worker_id, now_us=transaction.now_us, slots_free=intent.slots_free)
    kept = sorted(held.attempt_id for held in intent.held if (held.attempt_id, held.claim_number, intent.worker_id) in owned)
    cancel: frozenset[Id] = frozenset()
    if kept:
        connection.change("lease_renewed", ids=kept, lease_until=transaction.now_us + intent.lease_us)
        cancel = frozenset(Id(found) for (found,) in connection.fetch("cancels_requested", ids=kept))
    return Renewal(frozenset(held.attempt_id for held in intent.held) - frozenset(kept), cancel)


def unpark(transaction: Transaction, intents: Sequence[Unpark]) -> list[int]:
    """Moves what is due from parked to queued."""
    connection = transaction.connection
    due = connection.fetch("parked_due", now_us=transaction.now_us, at_most=_UNPARK_AT_MOST)
    locked = {Id(found) for (found,) in connection.fetch("parked_lock", ids=sorted(Id(attempt) for attempt, _, _ in due))} if due else set()
    if locked:
        connection.change("parked_queued", ids=sorted(locked))
        connection.change("parked_attempts_queued", ids=sorted(locked))
    for attempt, project, workflow in due:
        if Id(attempt) in locked:
            transaction.tell("queued", Id(project), Id(workflow))
            transaction.tell("attempt", Id(project), Id(attempt))
    return [len(locked)] * len(intents)


@dataclass(frozen=True)
class Lease:
    """A lease as a watcher finds it. ``left_us`` is what is left of it by the database's clock; below 0 when its time is past."""

    attempt_id: Id
    claim_number: int
    renewed: int
    left_us: int


class LeaseWatch:
    """Decides that a lease is over, on this process's own monotonic clock.

    A lease is over when the same renewal has been seen unchanged for one full lease, and for what was left of it when it was first seen,
    with the database writable all that time: a database that was away, a clock that jumped or a suspended laptop expire nobody.
    ``longest_us`` bounds what is believed of the database's clock.
    """

    def __init__(self, lease_us: int = LEASE_US, *, longest_us: int = FOREIGN_LEASE_US, monotonic_us: Callable[[], int]) -> None:
        self._lease_us = lease_us
        self._longest_us = longest_us
        self._monotonic_us = monotonic_us
        self._over_at: dict[tuple[Id, int, int], int] = {}

    def over(self, held: Iterable[Lease]) -> list[Lease]:
        """Of all leases that are held those that are over. Ask every second or so."""
        now = self._monotonic_us()
        over_at, over = {}, []
        for lease in held:
            key = (lease.attempt_id, lease.claim_number, lease.renewed)
            wait_us = max(self._lease_us, min(lease.left_us, self._longest_us))
            over_at[key] = self._over_at.get(key, now + wait_us)
            if now >= over_at[key]:
                over.append(lease)
        self._over_at = over_at
        return over

    def database_was_away(self) -> None:
        """Begins anew: nobody could renew."""
        self._over_at.clear()
