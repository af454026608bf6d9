"""How work begins: the rows of a work order, its first Attempt, its place in the queue and its first Runs.

A Run of each starting job that is reached unconditionally exists from the beginning, queued, so "one message, one run" holds at once and
its job-state is "in progress" from the first moment (server-and-data §4.2).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kivuko.records.database import Conflict, Connection
from kivuko.records.ids import Id, new_id
from kivuko.records.rows import Attempt, JobState, LiveAttempt, Run, StartGuard, WorkOrder
from kivuko.records.states import AttemptState, Cause, JobResult, LiveState, Needs, WorkOrderState

__all__ = ["Input", "NewRows", "Origin", "Start", "Started", "new_start", "start_rows"]

IMMEDIATE = 0
NORMAL = 1


@dataclass(frozen=True)
class Start:
    """What is to be started, ids included. ``runs`` are (run id, job id) of the jobs reached unconditionally, in document order.

    ``available_at`` in the future parks the Attempt until then. ``options`` is JSON for the worker, stored as it is.
    """

    work_order_id: Id
    attempt_id: Id
    workflow_id: Id
    snapshot_id: Id
    start_node: Id
    cause: Cause
    runs: tuple[tuple[Id, Id], ...]
    trigger_id: Id | None = None
    queue: str = "default"
    priority: int = NORMAL
    needs: Needs = Needs.JAVASCRIPT
    available_at: int = 0
    options: bytes | None = None


@dataclass(frozen=True)
class Input:
    """What is processed: a version of a message, or a dataclip."""

    message_id: Id | None = None
    message_version: int | None = None
    dataclip_id: Id | None = None


@dataclass(frozen=True)
class Origin:
    """Whose the work is and what led to it: ``depth`` counts the chain of triggers behind it."""

    project_id: Id
    parent_run_id: Id | None = None
    depth: int = 0


@dataclass(frozen=True)
class Started:
    """What was started."""

    work_order_id: Id
    attempt_id: Id
    run_ids: tuple[Id, ...]


class NewRows:
    """Rows to insert, of any table, written table by table."""

    def __init__(self) -> None:
        self._rows: dict[type[Any], list[Any]] = defaultdict(list)

    def add(self, *rows: Any) -> None:
        """Notes rows to be inserted."""
        for row in rows:
            self._rows[type(row)].append(row)

    def batches(self) -> list[tuple[list[Any], Conflict]]:
        """All rows, to be inserted; one whose key is there already is passed over."""
        return [(rows, Conflict.KEEP) for rows in self._rows.values()]

    def write(self, connection: Connection) -> None:
        """Inserts all rows."""
        connection.write_all(self.batches())


def new_start(
    workflow_id: Id, snapshot_id: Id, start_node: Id, cause: Cause, jobs: Sequence[Id], *, trigger_id: Id | None = None, **queueing: Any
) -> Start:
    """A start with fresh ids; ``queueing`` are the fields of Start from ``queue`` on."""
    runs = tuple((new_id(), job) for job in jobs)
    return Start(new_id(), new_id(), workflow_id, snapshot_id, start_node, cause, runs, trigger_id, **queueing)


def start_rows(start: Start, origin: Origin, given: Input, *, now_us: int, first_number: int) -> list[Any]:
    """All rows of a start. ``first_number`` is the ``run_number`` of its first Run (not used when the input is no message)."""
    parked = start.available_at > now_us
    runs = [_run(start, origin, given, now_us, first_number + at, *ids) for at, ids in enumerate(start.runs)]
    return [_work_order(start, origin, given, now_us), _attempt(start, origin, parked), _live_attempt(start, origin, parked), *runs] + [
        pair for run in runs if run.message_id for pair in _pair_rows(run, run.message_id, now_us)
    ]


def _work_order(start: Start, origin: Origin, given: Input, now_us: int) -> WorkOrder:
    return WorkOrder(
        id=start.work_order_id,
        project_id=origin.project_id,
        workflow_id=start.workflow_id,
        snapshot_id=start.snapshot_id,
        cause=start.cause,
        state=WorkOrderState.PENDING,
        last_activity_at=now_us,
        trigger_id=start.trigger_id,
        parent_run_id=origin.parent_run_id,
        depth=origin.depth,
        message_id=given.message_id,
        message_version=given.message_version,
        dataclip_id=given.dataclip_id,
    )


def _attempt(start: Start, origin: Origin, parked: bool) -> Attempt:
    return Attempt(
        id=start.attempt_id,
        project_id=origin.project_id,
        work_order_id=start.work_order_id,
        workflow_id=start.workflow_id,
        snapshot_id=start.snapshot_id,
        start_node=start.start_node,
        cause=start.cause,
        state=AttemptState.PARKED if parked else AttemptState.QUEUED,
        options=start.options,
    )


def _live_attempt(start: Start, origin: Origin, parked: bool) -> LiveAttempt:
    return LiveAttempt(
        attempt_id=start.attempt_id,
        project_id=origin.project_id,
        workflow_id=start.workflow_id,
        queue=start.queue,
        priority=start.priority,
        available_at=start.available_at,
        needs=start.needs,
        state=LiveState.PARKED if parked else LiveState.QUEUED,
    )


def _run(start: Start, origin: Origin, given: Input, now_us: int, number: int, run_id: Id, job_id: Id) -> Run:
    return Run(
        id=run_id,
        project_id=origin.project_id,
        attempt_id=start.attempt_id,
        job_id=job_id,
        snapshot_id=start.snapshot_id,
        cause=start.cause,
        queued_at=now_us,
        parent_run_id=origin.parent_run_id,
        message_id=given.message_id,
        message_version=given.message_version,
        run_number=number if given.message_id else None,
        input_dataclip_id=given.dataclip_id,
    )


def _pair_rows(run: Run, message_id: Id, now_us: int) -> list[Any]:
    return [
        JobState(message_id, run.job_id, run.project_id, run.id, JobResult.IN_PROGRESS, None, None),
        StartGuard(message_id, run.job_id, now_us, run.id),
    ]
