"""Counting afterwards: the promises of the ledger against the records and what the target system has seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chaos.deaths import Death, restarts_of
from chaos.ledger import Ledger, Promise
from chaos.patience import Impatient, wait_until
from chaos.place import Place
from chaos.tally import Tally
from chaos.target import TargetSystem
from kivuko.records import AttemptState, ExitReason, Id, WorkOrderState, check_records
from kivuko.records.database import Connection

__all__ = ["Ended", "count", "wait_until_idle"]

_CLOCKS_US = 2_000
"""So much later may an effect be noted than it happened, by a thread that had to wait for its turn."""


@dataclass(frozen=True)
class Ended:
    """What a scenario has done, besides the ledger.

    ``given_up`` are Attempts after which nobody was to go on by himself. With ``outages`` of server or database the time until work goes
    on has no bound: no lease is taken while nobody can look, or renew it (server-and-data §6). ``one_clock``: database and target system
    have the same, so that an effect can be told to have come after its Run had been reported.
    """

    events: Mapping[str, int]
    deaths: Sequence[Death] = ()
    wrong: Sequence[str] = ()
    seconds: float = 0.0
    given_up: Sequence[Id] = ()
    outages: bool = False
    one_clock: bool = True


def wait_until_idle(place: Place, within_s: float) -> list[str]:
    """Waits until nothing is queued or executed any more; a sentence when that does not come."""
    connection = place.database.connect_to_read()
    try:
        wait_until(lambda: connection.query("SELECT count(*) FROM live_attempt") == [(0,)], "Attempts are unfinished", within_s, 0.2)
    except Impatient as impatient:
        ((left,),) = connection.query("SELECT count(*) FROM live_attempt")
        return [f"{impatient} ({left} of them)"]
    finally:
        connection.close()
    return []


def count(place: Place, ledger: Ledger, target: TargetSystem, ended: Ended) -> Tally:
    """The tally. The server may run or not."""
    connection = _reading(place)
    try:
        promises = ledger.promises
        stored = {Id(row[0]) for row in connection.query("SELECT id FROM message")}
        orders = _order_states(connection)
        successes = _successes(connection)
        working = [each for each in promises if each.works]
        finished = [each for each in working if each.message_id in stored and orders.get(each.message_id) == [WorkOrderState.SUCCESS]]
        twice, repeated = _twice(place, promises, successes, target, one_clock=ended.one_clock)
        return Tally(
            acknowledged=len(promises),
            with_jobs=len(working),
            finished=len(finished),
            lost=sum(each.message_id not in stored for each in promises) + _unfinished(working, stored, orders),
            twice=twice,
            repeated=repeated,
            events=ended.events,
            other_answers=ledger.other_answers,
            refusals=ledger.codes,
            unanswered=ledger.unanswered,
            restarts=restarts_of(connection, ended.deaths, set(ended.given_up)),
            wrong=[*ended.wrong, *_contradictions(connection), *_endings(connection)],
            seconds=ended.seconds,
            outages=ended.outages,
        )
    finally:
        connection.close()


def _reading(place: Place) -> Connection:
    if place.postgresql is None and not place.server.alive:
        # Nobody else has the file: whoever opens it first recovers it.
        return place.database.connect()
    return place.database.connect_to_read()


def _order_states(connection: Connection) -> dict[Id, list[WorkOrderState]]:
    found: dict[Id, list[WorkOrderState]] = {}
    for message, state in connection.query("SELECT message_id, state FROM work_order WHERE message_id IS NOT NULL"):
        found.setdefault(Id(message), []).append(WorkOrderState(state))
    return found


def _unfinished(working: Sequence[Promise], stored: set[Id], orders: Mapping[Id, Sequence[WorkOrderState]]) -> int:
    """Messages whose work was forgotten or has not ended well: their one work order is missing, unfinished, lost or failed."""
    return sum(each.message_id in stored and orders.get(each.message_id) != [WorkOrderState.SUCCESS] for each in working)


def _successes(connection: Connection) -> dict[tuple[Id, Id], list[int]]:
    """For (message, job) the moments at which the server had heard of a success."""
    found: dict[tuple[Id, Id], list[int]] = {}
    rows = connection.query(
        "SELECT message_id, job_id, finished_at FROM run WHERE exit_reason = ? AND message_id IS NOT NULL", int(ExitReason.SUCCESS)
    )
    for message, job, finished_at in rows:
        found.setdefault((Id(message), Id(job)), []).append(finished_at)
    return found


def _twice(
    place: Place, promises: Sequence[Promise], successes: Mapping[tuple[Id, Id], Sequence[int]], target: TargetSystem, *, one_clock: bool
) -> tuple[int, int]:
    """How many (message, job) finished twice or acted after they had finished, and how many effects were repeated before that."""
    twice = sum(len(moments) > 1 for moments in successes.values())
    repeated = 0
    for promise in promises:
        for job, name in place.job_names.items():
            effects = target.effects.get((name, promise.number), ())
            reported_at = min(successes.get((promise.message_id, job), ()), default=None)
            after = sum(one_clock and reported_at is not None and effect > reported_at + _CLOCKS_US for effect in effects)
            twice += after > 0
            repeated += max(0, len(effects) - after - 1)
    return twice, repeated


def _contradictions(connection: Connection) -> list[str]:
    return [f"{found.what} ({len(found.ids)})" for found in check_records(connection)]


def _endings(connection: Connection) -> list[str]:
    """Attempts must end well, or be lost and gone on with: anything else is an error of the platform here."""
    rows = connection.query("SELECT state, coalesce(error_type, '') FROM attempt WHERE state >= ?", int(AttemptState.SUCCESS))
    fine = {AttemptState.SUCCESS, AttemptState.LOST, AttemptState.CANCELLED}
    counted = Counter((AttemptState(state), error) for state, error in rows if state not in fine)
    return [f"{many} Attempts ended {state.name.lower()} ({error})" for (state, error), many in counted.items()]
