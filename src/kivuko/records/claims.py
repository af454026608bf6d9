"""The claim: which Attempts a worker gets next, under the limits, in turn, and nobody else's (server-and-data §6)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kivuko.records.database import Conflict, Connection
from kivuko.records.ids import Id
from kivuko.records.intents import Intent, Transaction
from kivuko.records.rows import ClaimShare
from kivuko.records.states import Needs

__all__ = ["JOIN_WITHIN_US", "Claim", "Claimed", "SetLimit", "claim", "set_limits"]

JOIN_WITHIN_US = 15_000_000
"""A claim whose run channel is not joined within this goes back."""

_EVERYTHING = Needs.JAVASCRIPT | Needs.PYTHON | Needs.FRONTIER


@dataclass(frozen=True)
class Claimed:
    """An Attempt that now belongs to a worker, until its lease ends. Reports must carry the claim number."""

    attempt_id: Id
    project_id: Id
    workflow_id: Id
    claim_number: int


@dataclass(frozen=True)
class Claim(Intent[tuple[Claimed, ...]]):
    """A worker asks for work: never more than ``demand`` Attempts.

    ``queues`` is its order of preference; without ``*`` it is a filter too. ``kinds`` is what it can do.
    """

    family = "claim"
    rank = 0
    alone = True
    worker_id: Id
    demand: int = 1
    queues: tuple[str, ...] = ("manual", "*")
    kinds: Needs = _EVERYTHING


@dataclass(frozen=True)
class SetLimit(Intent[None]):
    """How many Attempts of a project or workflow may be under way at once: None for any number, 0 to pause it."""

    family = "set_limit"
    rank = 0
    alone = True
    scope_id: Id
    max_live: int | None


def claim(transaction: Transaction, claims: Sequence[Claim]) -> list[tuple[Claimed, ...]]:
    """Serves the claims of a batch; those with the same wishes share one look at the queue."""
    connection = transaction.connection
    connection.fetch("claim_lock")
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for at, each in enumerate(claims):
        alike[each.queues, each.kinds].append(at)
    results: list[tuple[Claimed, ...]] = [()] * len(claims)
    shares: dict[Id, ClaimShare] = {}
    for (queues, kinds), places in alike.items():
        chosen = _choice(connection, queues, kinds, sum(claims[at].demand for at in places))
        for at in places:
            mine, chosen = chosen[: claims[at].demand], chosen[claims[at].demand :]
            results[at] = _take(transaction, claims[at].worker_id, mine, shares)
    connection.write(shares.values(), Conflict.REPLACE)
    return results


def set_limits(transaction: Transaction, limits: Sequence[SetLimit]) -> list[None]:
    """Stores limits; the claim's lock keeps them from being overwritten by a claim under way."""
    connection = transaction.connection
    connection.fetch("claim_lock")
    known = {share.scope_id: share for share in connection.load(ClaimShare, "shares", ids=[each.scope_id for each in limits])}
    for each in limits:
        known.setdefault(each.scope_id, ClaimShare(each.scope_id, None, 0)).max_live = each.max_live
        transaction.tell("queued", None, each.scope_id)
    connection.write(known.values(), Conflict.REPLACE)
    return [None] * len(limits)


def _choice(connection: Connection, queues: tuple[str, ...], kinds: Needs, demand: int) -> list[tuple[Any, ...]]:
    named = [name for name in queues if name != "*"]
    return connection.fetch(
        "claim_choice",
        queues=json.dumps(named) if connection.dialect == "sqlite" else named,
        any_queue=len(named) + 1 if "*" in queues else None,
        missing=int(_EVERYTHING & ~kinds),
        demand=demand,
    )


def _take(transaction: Transaction, worker_id: Id, chosen: Sequence[tuple[Any, ...]], shares: dict[Id, ClaimShare]) -> tuple[Claimed, ...]:
    if not chosen:
        return ()
    connection, now_us = transaction.connection, transaction.now_us
    ids = [Id(row[0]) for row in chosen]
    numbers = {
        Id(attempt): number
        for attempt, number in connection.fetch("claim_take", worker_id=worker_id, lease_until=now_us + JOIN_WITHIN_US, ids=ids)
    }
    if numbers:
        connection.change("claim_attempts", worker_id=worker_id, now_us=now_us, ids=sorted(numbers))
    taken = []
    for attempt, project, workflow, project_max, workflow_max in chosen:
        number = numbers.get(Id(attempt))
        if number is not None:
            taken.append(Claimed(Id(attempt), Id(project), Id(workflow), number))
            shares[Id(project)] = ClaimShare(Id(project), project_max, now_us)
            shares[Id(workflow)] = ClaimShare(Id(workflow), workflow_max, now_us)
            transaction.tell("attempt", Id(project), Id(attempt))
    return tuple(taken)
