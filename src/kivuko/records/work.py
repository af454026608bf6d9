"""Starting work on an input that is there already: by hand, rerun, a schedule's tick, a saved input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kivuko.errors import RecordsError
from kivuko.records.guards import RERUN_INTERVAL_US, Guards
from kivuko.records.ids import Id
from kivuko.records.inputs import Inputs
from kivuko.records.intents import Intent, Transaction
from kivuko.records.jobstates import Pair, recompute_job_states
from kivuko.records.rows import Dataclip, JobState, Message, StartGuard
from kivuko.records.starting import Input, NewRows, Origin, Start, Started, start_rows
from kivuko.records.states import Once

__all__ = ["AlreadyStarted", "Happening", "StartWork", "start_work"]


@dataclass(frozen=True)
class Happening:
    """Something that may start work only once: a schedule's tick, the end of a Run that a trigger follows.

    After ``expires_at`` (µs) it is forgotten; None keeps it for ever.
    """

    kind: Once
    key: bytes
    expires_at: int | None = None


@dataclass(frozen=True)
class AlreadyStarted:
    """The happening has started work before: as this work order."""

    work_order_id: Id


@dataclass(frozen=True)
class StartWork(Intent["Started | AlreadyStarted"]):
    """A work order on an input. A ``message_version`` of None means the newest one.

    ``guard_us`` is the 10-second rule's interval, 0 where it does not apply (schedules, chains). ``saved_input`` is stored with it.
    """

    family = "start_work"
    rank = 3
    start: Start
    origin: Origin
    given: Input
    guard_us: int = RERUN_INTERVAL_US
    once: Happening | None = None
    saved_input: Dataclip | None = None

    @property
    def message_id(self) -> Id | None:
        """The message whose Runs are counted."""
        return self.given.message_id


class _Desk:
    """What a group of starts shares: locked messages, guards, inputs, and the rows to be written."""

    def __init__(self, transaction: Transaction, intents: Sequence[StartWork]) -> None:
        connection = transaction.connection
        messages = sorted(transaction.message_ids)
        self.transaction = transaction
        self.messages = {row.id: row for row in connection.load(Message, "messages_locked", ids=messages)} if messages else {}
        jobs = {job for each in intents for _, job in each.start.runs}
        self.guards = Guards(connection, messages, jobs, transaction.now_us)
        self.inputs = Inputs(connection, (each.given for each in intents), self.messages)
        self._rows = NewRows()
        self._pairs: set[Pair] = set()
        self._counted: set[Id] = set()

    def add(self, intent: StartWork, given: Input) -> None:
        """Notes the rows of a start."""
        message = self.messages.get(given.message_id) if given.message_id else None
        first = message.run_count + 1 if message else 1
        for row in start_rows(intent.start, intent.origin, given, now_us=self.transaction.now_us, first_number=first):
            if isinstance(row, JobState):
                self._pairs.add((row.message_id, row.job_id))
            elif not isinstance(row, StartGuard):
                self._rows.add(row)
            elif intent.guard_us:
                self.guards.take(row)
        if message:
            message.run_count += len(intent.start.runs)
            self._counted.add(message.id)
        if intent.saved_input:
            self._rows.add(intent.saved_input)

    def write(self) -> None:
        """Writes what was noted."""
        connection = self.transaction.connection
        self._rows.write(connection)
        self.guards.write()
        for message in sorted(self._counted):
            connection.change("message_counted", id=message, run_count=self.messages[message].run_count)
        recompute_job_states(connection, self._pairs)


def start_work(transaction: Transaction, intents: Sequence[StartWork]) -> list[Started | AlreadyStarted | RecordsError]:
    """Writes work orders. An intent that is refused gives RecordMissing, BodyWiped or TooSoon."""
    owners = _take_happenings(transaction, intents)
    known = _known(transaction, intents) if transaction.repeated else set()
    desk = _Desk(transaction, intents)
    results: list[Started | AlreadyStarted | RecordsError] = []
    for intent, owner in zip(intents, owners, strict=True):
        if owner != intent.start.work_order_id:
            results.append(AlreadyStarted(owner))
        elif owner in known:
            results.append(_started(intent.start))
        else:
            results.append(_start(desk, intent))
    desk.write()
    return results


def _start(desk: _Desk, intent: StartWork) -> Started | RecordsError:
    try:
        given = desk.inputs.checked(intent.given, coming=intent.saved_input.id if intent.saved_input else None)
        if intent.guard_us and given.message_id:
            desk.guards.check(given.message_id, intent.start.runs, intent.guard_us)
    except RecordsError as error:
        return error
    desk.add(intent, given)
    desk.transaction.tell("work_order", intent.origin.project_id, intent.start.work_order_id)
    desk.transaction.tell("queued", intent.origin.project_id, intent.start.workflow_id)
    return _started(intent.start)


def _started(start: Start) -> Started:
    return Started(start.work_order_id, start.attempt_id, tuple(run for run, _ in start.runs))


def _take_happenings(transaction: Transaction, intents: Sequence[StartWork]) -> list[Id]:
    """The work order that each intent's happening belongs to: its own, unless somebody was faster."""
    owners = [intent.start.work_order_id for intent in intents]
    happenings = {(each.once.kind, each.once.key, at): each.once.expires_at for at, each in enumerate(intents) if each.once}
    for (kind, key, at), expires_at in sorted(happenings.items()):
        transaction.connection.change(
            "once_take", kind=int(kind), key=key, target_id=owners[at], expires_at=expires_at, now_us=transaction.now_us
        )
        ((owner,),) = transaction.connection.fetch("once_target", kind=int(kind), key=key)
        owners[at] = Id(owner)
    return owners


def _known(transaction: Transaction, intents: Sequence[StartWork]) -> set[Id]:
    """Work orders that an earlier try has written."""
    found = transaction.connection.fetch("work_orders_known", ids=[intent.start.work_order_id for intent in intents])
    return {Id(order) for (order,) in found}
