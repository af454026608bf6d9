"""The history of Runs and work orders: newest first, with filters."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from kivuko.records.database import Connection
from kivuko.records.exitcodes import BY_ERROR_ONLY
from kivuko.records.ids import Id
from kivuko.records.listing import Conditions, Keys, Slice, count_rows, moments, select_rows
from kivuko.records.rows import Attempt, Dataclip, Run, Worker, WorkOrder
from kivuko.records.states import AttemptState, Cause, ExitReason, LiveState, WorkOrderState

__all__ = [
    "RunQuery",
    "WorkOrderQuery",
    "attempts_by_id",
    "attempts_of_order",
    "count_runs",
    "count_work_orders",
    "dataclip_row",
    "list_runs",
    "list_work_orders",
    "read_run",
    "read_work_order",
    "run_state",
    "workers_by_id",
]

_ENDS = {
    ExitReason.SUCCESS: AttemptState.SUCCESS,
    ExitReason.FAIL: AttemptState.FAILED,
    ExitReason.CRASH: AttemptState.CRASHED,
    ExitReason.CANCEL: AttemptState.CANCELLED,
    ExitReason.KILL: AttemptState.KILLED,
    ExitReason.EXCEPTION: AttemptState.EXCEPTION,
    ExitReason.LOST: AttemptState.LOST,
}
_WAITING = {
    AttemptState.QUEUED: (LiveState.QUEUED, LiveState.STARTED, LiveState.LEAVING),
    AttemptState.PARKED: (LiveState.PARKED,),
    AttemptState.CLAIMED: (LiveState.CLAIMED,),
}


@dataclass(frozen=True)
class RunQuery:
    """Which Runs of a project; times are µs."""

    project_id: Id
    ids: Keys = None
    job_ids: Keys = None
    workflow_ids: Keys = None
    message_ids: Keys = None
    attempt_ids: Keys = None
    states: Collection[AttemptState] | None = None
    causes: Collection[Cause] | None = None
    exit_codes: Collection[int] | None = None
    error_names: Collection[str] | None = None
    started_after: int | None = None
    started_before: int | None = None
    finished_after: int | None = None
    finished_before: int | None = None


@dataclass(frozen=True)
class WorkOrderQuery:
    """Which work orders of a project; times are µs."""

    project_id: Id
    ids: Keys = None
    workflow_ids: Keys = None
    trigger_ids: Keys = None
    message_ids: Keys = None
    states: Collection[WorkOrderState] | None = None
    causes: Collection[Cause] | None = None
    inserted_after: int | None = None
    inserted_before: int | None = None
    last_activity_after: int | None = None
    last_activity_before: int | None = None


def run_state(run: Run, attempt: Attempt) -> AttemptState:
    """The state of a Run: its end, else whether it has begun, else where its Attempt stands."""
    if run.finished_at is not None and run.exit_reason is not None:
        return _ENDS[run.exit_reason]
    if run.started_at is not None:
        return AttemptState.STARTED
    return attempt.state if attempt.state in (AttemptState.PARKED, AttemptState.CLAIMED) else AttemptState.QUEUED


def list_runs(connection: Connection, query: RunQuery, part: Slice) -> list[Run]:
    """Runs, the newest first: one statement."""
    return select_rows(connection, Run, _of_runs(query, part.before), "run.id DESC", part.at_most)


def count_runs(connection: Connection, query: RunQuery, at_most: int) -> int:
    """How many Runs there are, counted up to a bound."""
    return count_rows(connection, "run", _of_runs(query, None), at_most)


def list_work_orders(connection: Connection, query: WorkOrderQuery, part: Slice) -> list[WorkOrder]:
    """Work orders, the newest first: one statement."""
    return select_rows(connection, WorkOrder, _of_orders(query, part.before), "work_order.id DESC", part.at_most)


def count_work_orders(connection: Connection, query: WorkOrderQuery, at_most: int) -> int:
    """How many work orders there are, counted up to a bound."""
    return count_rows(connection, "work_order", _of_orders(query, None), at_most)


def read_run(connection: Connection, run_id: Id) -> Run | None:
    """One Run, if it exists."""
    return next(iter(connection.load(Run, "run_read", id=run_id)), None)


def read_work_order(connection: Connection, work_order_id: Id) -> WorkOrder | None:
    """One work order, if it exists."""
    return next(iter(connection.load(WorkOrder, "work_order_read", id=work_order_id)), None)


def attempts_by_id(connection: Connection, ids: Collection[Id]) -> dict[Id, Attempt]:
    """The Attempts with these ids."""
    found = connection.load(Attempt, "attempts_listed", ids=sorted(ids)) if ids else []
    return {attempt.id: attempt for attempt in found}


def attempts_of_order(connection: Connection, work_order_ids: Collection[Id]) -> list[Attempt]:
    """The Attempts of work orders, oldest first."""
    return connection.load(Attempt, "attempts_of_orders_listed", ids=sorted(work_order_ids)) if work_order_ids else []


def workers_by_id(connection: Connection, ids: Collection[Id]) -> dict[Id, Worker]:
    """The workers with these ids."""
    found = connection.load(Worker, "workers_named", ids=sorted(ids)) if ids else []
    return {worker.id: worker for worker in found}


def dataclip_row(connection: Connection, dataclip_id: Id) -> Dataclip | None:
    """A dataclip with its stored body, if it exists."""
    return next(iter(connection.load(Dataclip, "dataclip_read", id=dataclip_id)), None)


def _of_runs(query: RunQuery, before: Id | None) -> Conditions:
    conditions = Conditions()
    conditions.add(f"{_project_column(query)} = ?", query.project_id)
    conditions.one_of("run.id", query.ids)
    conditions.before("run.id", before)
    conditions.one_of("run.job_id", query.job_ids)
    conditions.one_of("run.message_id", query.message_ids)
    conditions.one_of("run.attempt_id", query.attempt_ids)
    conditions.one_of("run.cause", None if query.causes is None else [int(cause) for cause in query.causes])
    if query.exit_codes is not None:
        _with_exit_codes(conditions, query.exit_codes)
    conditions.one_of("run.error_type", query.error_names)
    conditions.between("run.started_at", query.started_after, query.started_before)
    conditions.between("run.finished_at", query.finished_after, query.finished_before)
    if query.workflow_ids is not None:
        workflows = Conditions(["attempt.id = run.attempt_id"])
        workflows.one_of("attempt.workflow_id", query.workflow_ids)
        conditions.add(f"EXISTS (SELECT 1 FROM attempt WHERE {workflows.where})", *workflows.values)
    if query.states is not None:
        _in_states(conditions, query.project_id, query.states)
    return conditions


def _with_exit_codes(conditions: Conditions, codes: Collection[int]) -> None:
    """With the words of the indexes that hold only what failed, where it must have."""
    conditions.one_of("run.exit_code", codes)
    if codes and min(codes) > 0:
        conditions.add("run.exit_code > 0")
    if BY_ERROR_ONLY.issuperset(codes):
        conditions.add("run.error_type IS NOT NULL")


def _project_column(query: RunQuery) -> str:
    """The project's column; out of the index's sight where another index leads to few Runs.

    SQLite would otherwise walk through the project's whole history for the three Runs of a message: it does not know how few they are.
    """
    narrow = query.message_ids is not None or query.attempt_ids is not None or (query.job_ids is not None and len(query.job_ids) == 1)
    return "CASE WHEN 1 = 1 THEN run.project_id END" if narrow else "run.project_id"


def _in_states(conditions: Conditions, project_id: Id, states: Collection[AttemptState]) -> None:
    """``run_state`` as conditions; unfinished Runs are found by the queue, which is small."""
    branches, values = [], []
    ends = sorted(int(reason) for reason, state in _ENDS.items() if state in states)
    if ends:
        branches.append(f"run.finished_at IS NOT NULL AND run.exit_reason IN ({', '.join(map(str, ends))})")
    if AttemptState.STARTED in states:
        branches.append("run.finished_at IS NULL AND run.started_at IS NOT NULL")
    waiting = sorted(int(live) for state in states for live in _WAITING.get(state, ()))
    if waiting:
        branches.append(
            "run.finished_at IS NULL AND run.started_at IS NULL AND run.attempt_id IN "
            f"(SELECT attempt_id FROM live_attempt WHERE project_id = ? AND state IN ({', '.join(map(str, waiting))}))"
        )
        values.append(project_id)
    conditions.add("(" + (" OR ".join(f"({branch})" for branch in branches) or "1 = 0") + ")", *values)


def _of_orders(query: WorkOrderQuery, before: Id | None) -> Conditions:
    conditions = Conditions()
    conditions.add("work_order.project_id = ?", query.project_id)
    conditions.one_of("work_order.id", query.ids)
    conditions.between("work_order.id", *moments(query.inserted_after, query.inserted_before))
    conditions.before("work_order.id", before)
    conditions.one_of("work_order.workflow_id", query.workflow_ids)
    conditions.one_of("work_order.trigger_id", query.trigger_ids)
    conditions.one_of("work_order.message_id", query.message_ids)
    conditions.one_of("work_order.state", None if query.states is None else [int(state) for state in query.states])
    conditions.one_of("work_order.cause", None if query.causes is None else [int(cause) for cause in query.causes])
    conditions.between("work_order.last_activity_at", query.last_activity_after, query.last_activity_before)
    return conditions
