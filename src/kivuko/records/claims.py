"""The claim: which Attempts a worker gets next, under the limits, in turn, and nobody else's (server-and-data §6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kivuko.records.database import Conflict
from kivuko.records.ids import Id
from kivuko.records.intents import Intent, Transaction
from kivuko.records.rows import ClaimShare
from kivuko.records.states import Needs
from kivuko.records.turntaking import Chosen, TurnTaking

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
    snapshot_id: Id


@dataclass(frozen=True)
class Claim(Intent[tuple[Claimed, ...]]):
    """A worker asks for work: never more than ``demand`` Attempts.

    ``queues`` is its order of preference; without ``*`` it is a filter too. ``kinds`` is what it can do. ``lease_us`` is how long it keeps
    what it is given without a word: longer where nothing is renewed before the run channel is joined.
    """

    family = "claim"
    rank = 0
    alone = True
    worker_id: Id
    demand: int = 1
    queues: tuple[str, ...] = ("manual", "*")
    kinds: Needs = _EVERYTHING
    lease_us: int = JOIN_WITHIN_US


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
    alike: dict[tuple[tuple[str, ...], Needs], list[int]] = defaultdict(list)
    for at, each in enumerate(claims):
        alike[each.queues, each.kinds].append(at)
    results: list[tuple[Claimed, ...]] = [()] * len(claims)
    for (queues, kinds), places in alike.items():
        demand = sum(claims[at].demand for at in places)
        turns = TurnTaking(connection, missing=int(_EVERYTHING & ~kinds), at_most=demand)
        chosen = list(turns.choose(queues, demand))
        for at in places:
            mine, chosen = chosen[: claims[at].demand], chosen[claims[at].demand :]
            results[at] = _take(transaction, claims[at], mine)
        served = {scope for claimed in results for each in claimed for scope in (each.project_id, each.workflow_id)}
        connection.write(
            (replace(turns.shares[scope], served_at=transaction.now_us) for scope in served & turns.shares.keys()), Conflict.REPLACE
        )
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


def _take(transaction: Transaction, asked: Claim, chosen: Sequence[Chosen]) -> tuple[Claimed, ...]:
    if not chosen:
        return ()
    connection, now_us, worker_id = transaction.connection, transaction.now_us, asked.worker_id
    ids = [each.attempt_id for each in chosen]
    numbers = {
        Id(attempt): number
        for attempt, number in connection.fetch("claim_take", worker_id=worker_id, lease_until=now_us + asked.lease_us, ids=ids)
    }
    if not numbers:
        return ()
    found = connection.fetch("claim_attempts", worker_id=worker_id, now_us=now_us, ids=sorted(numbers))
    snapshots = {Id(attempt): Id(snapshot) for attempt, snapshot in found}
    taken = [each for each in chosen if each.attempt_id in numbers]
    for each in taken:
        transaction.tell("attempt", each.project_id, each.attempt_id)
    return tuple(
        Claimed(each.attempt_id, each.project_id, each.workflow_id, numbers[each.attempt_id], snapshots[each.attempt_id]) for each in taken
    )
