"""The rows that a group of reports works on: locked and loaded together, changed in memory, written back together.

Locks are taken table by table (``live_attempt``, ``attempt``, ``work_order``, ``message``), each by one statement sorted by key, before
anything is computed from what they protect. Few statements serve many reports, on either database.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from kivuko.errors import RecordsUnavailable
from kivuko.records.database import Asked, Conflict, Connection
from kivuko.records.ids import Id, new_id
from kivuko.records.intents import Transaction
from kivuko.records.jobstates import Pair, recompute_job_states
from kivuko.records.rows import Attempt, DailyStat, Dataclip, LiveAttempt, Message, Notice, Run, WorkOrder
from kivuko.records.starting import NewRows
from kivuko.records.states import AttemptState, NoticeKind, WorkOrderState
from kivuko.records.tables import table_of

__all__ = ["Ledger"]

_US_A_DAY = 86_400_000_000


class Ledger:
    """Rows of the Attempts that are reported about, and of all Attempts of the same work orders.

    ``on_the_wire`` holds our ids of stored dataclips by Attempt and the id that a worker gave them, of those ``wire_ids``.
    """

    def __init__(self, transaction: Transaction, attempt_ids: Iterable[Id], wire_ids: Iterable[str] = ()) -> None:
        self.transaction = transaction
        connection = transaction.connection
        related = connection.fetch("attempts_related", ids=sorted(set(attempt_ids)))
        self.now_us = transaction.now_us  # it came with that answer
        ids = {"ids": sorted({Id(attempt) for attempt, _, _ in related})}
        order_ids = {"ids": sorted({Id(order) for _, order, _ in related})}
        message_ids = {"ids": sorted({Id(message) for _, _, message in related if message} | transaction.message_ids)}
        names = {"wire_ids": sorted(wire_ids)}
        live, attempts, orders, messages, found, runs, foreign, *clips = connection.together(
            Asked("live_locked", ids, LiveAttempt),
            Asked("attempts_locked", ids, Attempt),
            Asked("work_orders_locked", order_ids, WorkOrder),
            Asked("messages_locked", message_ids, Message),
            Asked("attempts_of_work_orders", order_ids),
            Asked("runs_of_attempts", ids, Run),
            Asked("foreign_workers", ids),
            *([Asked("dataclips_on_the_wire", {**ids, **names})] if names["wire_ids"] else []),
        )
        self.live: dict[Id, LiveAttempt] = {row.attempt_id: row for row in live}
        self.attempts: dict[Id, Attempt] = {row.id: row for row in attempts}
        self.work_orders: dict[Id, WorkOrder] = {row.id: row for row in orders}
        self.messages: dict[Id, Message] = {row.id: row for row in messages}
        self._check_nothing_came_between({Id(attempt) for (attempt,) in found})
        self._runs: dict[Id, list[Run]] = defaultdict(list)
        for run in runs:
            self._runs[run.attempt_id].append(run)
        self._foreign = {Id(worker) for (worker,) in foreign}
        self.on_the_wire = {(Id(attempt), name): Id(clip) for attempt, name, clip in (clips[0] if clips else ())}
        self._changed: dict[type[Any], dict[Any, Any]] = defaultdict(dict)
        self._new = NewRows()
        self._gone: dict[str, list[Id]] = defaultdict(list)
        self._pairs: set[Pair] = set()
        self._ended: Counter[tuple[Id, Id, AttemptState]] = Counter()
        self._last_moved: dict[Id, Attempt] = {}
        self._moved: set[Id] = set()

    def _check_nothing_came_between(self, related: set[Id]) -> None:
        """A retry that was made while we waited for the locks is not among ours: then all begins again."""
        if not related <= self.attempts.keys():
            raise RecordsUnavailable("a retry was made at the same moment")

    # What is there

    def runs(self, attempt: Attempt) -> list[Run]:
        """The Runs of an Attempt, oldest first."""
        return self._runs[attempt.id]

    def retries(self, attempt: Attempt) -> list[Attempt]:
        """The Attempts that were made to take this one over."""
        return [other for other in self.attempts.values() if other.retry_of == attempt.id]

    def is_foreign(self, live: LiveAttempt) -> bool:
        """Whether OpenFn's own worker holds the Attempt."""
        return live.worker_id in self._foreign

    # What changes

    def touch(self, *rows: Any) -> None:
        """Notes that rows were changed, or are new and may be changed again."""
        for row in rows:
            self._changed[type(row)][table_of(type(row)).key_of(row)] = row

    def touch_run(self, run: Run) -> None:
        """Notes a Run, and that its job-state has to be calculated again."""
        self.touch(run)
        if run.message_id:
            self._pairs.add((run.message_id, run.job_id))

    def add_run(self, run: Run) -> Run:
        """A new Run of an Attempt of ours; it gets its number within the message."""
        message = self.messages.get(run.message_id) if run.message_id else None
        if message:
            message.run_count += 1
            run.run_number = message.run_count
            self.touch(message)
        self._runs[run.attempt_id].append(run)
        self.touch_run(run)
        return run

    def delete_run(self, run: Run) -> None:
        """Takes a Run out, and its number with it."""
        self._runs[run.attempt_id].remove(run)
        self._changed[Run].pop(run.id, None)
        self._gone["runs_deleted"].append(run.id)
        if run.message_id:
            self._pairs.add((run.message_id, run.job_id))

    def add_attempt(self, attempt: Attempt, live: LiveAttempt) -> None:
        """A new Attempt in the queue."""
        self.attempts[attempt.id] = attempt
        self.live[attempt.id] = live
        self.touch(attempt, live)
        self._last_moved[attempt.work_order_id] = attempt
        self.transaction.tell("queued", attempt.project_id, attempt.workflow_id)

    def add_dataclip(self, clip: Dataclip | None) -> Id | None:
        """Stores a dataclip with the transaction; its id."""
        if clip is None:
            return None
        self._new.add(clip)
        return clip.id

    def add_rows(self, rows: Iterable[Any]) -> None:
        """Other rows to be inserted with the transaction."""
        self._new.add(*rows)

    def need_pair(self, pair: Pair) -> None:
        """Has a job-state calculated again."""
        self._pairs.add(pair)

    def notify(self, kind: NoticeKind, project_id: Id, subject_id: Id) -> None:
        """Leaves a notice for who sends mail and callbacks: an outbox row of the same transaction."""
        self._new.add(Notice(new_id(), project_id, kind, subject_id))
        self.transaction.tell("notice", project_id, subject_id)

    def dequeue(self, attempt: Attempt) -> LiveAttempt | None:
        """Takes an Attempt out of the queue; its last entry there."""
        live = self.live.pop(attempt.id, None)
        if live:
            self._changed[LiveAttempt].pop(attempt.id, None)
            self._gone["live_deleted"].append(attempt.id)
            self.transaction.tell("queued", attempt.project_id, attempt.workflow_id)
        return live

    def moved(self, attempt: Attempt) -> None:
        """Notes that an Attempt has another state: its work order's state and the day's counts follow."""
        self.touch(attempt)
        self._moved.add(attempt.id)
        self._last_moved[attempt.work_order_id] = attempt
        self.transaction.tell("attempt", attempt.project_id, attempt.id)

    def count(self, attempt: Attempt, by: int = 1) -> None:
        """Counts an Attempt as ended in its state (or, by -1, no longer)."""
        self._ended[attempt.project_id, attempt.workflow_id, attempt.state] += by

    def ended(self) -> list[Attempt]:
        """The Attempts that ended in this transaction."""
        return [attempt for key, attempt in self._changed[Attempt].items() if key in self._moved and attempt.state.finished]

    # The end

    def flush(self) -> None:
        """Writes everything back."""
        connection = self.transaction.connection
        self._settle_work_orders()
        for statement, ids in sorted(self._gone.items()):
            connection.change(statement, ids=sorted(ids))
        changed = [(self._changed[row].values(), Conflict.REPLACE) for row in (LiveAttempt, Attempt, WorkOrder, Message, Run)]
        connection.write_all([*changed, *self._new.batches()])
        recompute_job_states(connection, self._pairs)
        self._count_the_day(connection)

    def _settle_work_orders(self) -> None:
        for order_id, last in self._last_moved.items():
            order = self.work_orders[order_id]
            states = {attempt.state for attempt in self.attempts.values() if attempt.work_order_id == order_id}
            order.state = _work_order_state(states, last.state)
            order.last_activity_at = self.now_us
            self.touch(order)
            self.transaction.tell("work_order", order.project_id, order.id)

    def _count_the_day(self, connection: Connection) -> None:
        day = self.now_us // _US_A_DAY
        for (project, workflow, state), count in sorted(self._ended.items()):
            row = DailyStat(project, workflow, day, state, count)
            connection.change(
                "day_counted", project_id=row.project_id, workflow_id=row.workflow_id, day=row.day, state=int(row.state), finished=count
            )


def _work_order_state(states: set[AttemptState], last: AttemptState) -> WorkOrderState:
    """Platform §1.6: unfinished Attempts decide, else the one that changed last."""
    if AttemptState.STARTED in states:
        return WorkOrderState.RUNNING
    if any(not state.finished for state in states):
        return WorkOrderState.PENDING
    return WorkOrderState(last)
