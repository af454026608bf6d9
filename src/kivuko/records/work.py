"""Starting work on an input that is there already: by hand, rerun, a schedule's tick, a saved input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kivuko.errors import BodyWiped, RecordMissing, RecordsError, TooSoon
from kivuko.records.database import Conflict
from kivuko.records.ids import Id
from kivuko.records.intents import Intent, Transaction
from kivuko.records.jobstates import Pair, recompute_job_states
from kivuko.records.rows import Dataclip, JobState, Message, StartGuard
from kivuko.records.starting import Input, NewRows, Origin, Start, Started, start_rows
from kivuko.records.states import Once

__all__ = ["RERUN_INTERVAL_US", "AlreadyStarted", "Happening", "StartWork", "start_work"]

RERUN_INTERVAL_US = 10_000_000
"""The 10-second rule (R-072)."""


@dataclass(frozen=True)
class Happening:
    """Something that may start work only once: a schedule's tick, the end of a Run that a trigger follows."""

    kind: Once
    key: bytes


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
    """What a group of starts shares: locked messages, guards and which inputs are gone."""

    def __init__(self, transaction: Transaction, intents: Sequence[StartWork]) -> None:
        connection = transaction.connection
        messages = sorted({each.given.message_id for each in intents if each.given.message_id})
        dataclips = [each.given.dataclip_id for each in intents if each.given.dataclip_id and each.saved_input is None]
        self.transaction = transaction
        self.rows = NewRows()
        self.pairs: set[Pair] = set()
        self.counted: set[Id] = set()
        self.guards: dict[Pair, StartGuard] = {}
        self.taken: dict[Pair, StartGuard] = {}
        self.messages: dict[Id, Message] = {}
        self.versions: dict[tuple[Id, int], bool] = {}
        if messages:
            jobs = sorted({job for each in intents for _, job in each.start.runs})
            self.messages = {
                row.id: row for row in connection.load(Message, "messages_locked", ids=sorted(transaction.message_ids.union(messages)))
            }
            self.versions = {(Id(message), number): wiped is None for message, number, wiped in connection.fetch("versions", ids=messages)}
            guards = connection.load(StartGuard, "guards_of_pairs", message_ids=messages, job_ids=jobs)
            self.guards = {(guard.message_id, guard.job_id): guard for guard in guards}
        self.dataclips = (
            {Id(found): wiped is None for found, wiped in connection.fetch("dataclips_left", ids=dataclips)} if dataclips else {}
        )

    def checked(self, given: Input, has_saved_input: bool) -> Input:
        """The input with its version filled in. Raises RecordMissing or BodyWiped."""
        if given.message_id is None:
            left = has_saved_input or given.dataclip_id is None or self.dataclips.get(given.dataclip_id)
            name = f"dataclip {given.dataclip_id}"
        else:
            message = self.messages.get(given.message_id)
            given = replace(given, message_version=given.message_version or (message.newest_version if message else 0))
            left = self.versions.get((given.message_id or Id(bytes(16)), given.message_version or 0))
            name = f"version {given.message_version} of message {given.message_id}"
        if left is None:
            raise RecordMissing(f"{name} does not exist")
        if not left:
            raise BodyWiped(f"{name} was wiped")
        return given

    def check_guards(self, intent: StartWork) -> None:
        """Raises TooSoon when one of the jobs was started for the message less than the interval ago."""
        for run_id, job_id in intent.start.runs:
            guard = self.guards.get((intent.given.message_id or run_id, job_id))
            if guard and guard.run_id != run_id and guard.last_at > self.transaction.now_us - intent.guard_us:
                wait_us = guard.last_at + intent.guard_us - self.transaction.now_us
                raise TooSoon(retry_after_s=wait_us / 1_000_000, run_id=str(guard.run_id))

    def add(self, intent: StartWork, given: Input) -> None:
        """Notes the rows of a start."""
        message = self.messages.get(given.message_id) if given.message_id else None
        first = message.run_count + 1 if message else 1
        now_us = self.transaction.now_us
        for row in start_rows(intent.start, intent.origin, given, now_us=now_us, first_number=first):
            if isinstance(row, StartGuard):
                if intent.guard_us:
                    self.guards[row.message_id, row.job_id] = self.taken[row.message_id, row.job_id] = row
            elif isinstance(row, JobState):
                self.pairs.add((row.message_id, row.job_id))
            else:
                self.rows.add(row)
        if message:
            message.run_count += len(intent.start.runs)
            self.counted.add(message.id)
        if intent.saved_input:
            self.rows.add(intent.saved_input)

    def write(self) -> None:
        """Writes what was noted."""
        connection = self.transaction.connection
        self.rows.write(connection)
        connection.write(self.taken.values(), Conflict.REPLACE)
        for message in self.counted:
            connection.change("message_counted", id=message, run_count=self.messages[message].run_count)
        recompute_job_states(connection, self.pairs)


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
        given = desk.checked(intent.given, intent.saved_input is not None)
        if intent.guard_us and given.message_id:
            desk.check_guards(intent)
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
    for kind, key, at in sorted((each.once.kind, each.once.key, at) for at, each in enumerate(intents) if each.once):
        transaction.connection.change(
            "once_take", kind=int(kind), key=key, target_id=owners[at], expires_at=None, now_us=transaction.now_us
        )
        ((owner,),) = transaction.connection.fetch("once_target", kind=int(kind), key=key)
        owners[at] = Id(owner)
    return owners


def _known(transaction: Transaction, intents: Sequence[StartWork]) -> set[Id]:
    """Work orders that an earlier try has written."""
    found = transaction.connection.fetch("work_orders_known", ids=[intent.start.work_order_id for intent in intents])
    return {Id(order) for (order,) in found}
