"""Doing it again in the same work order: a new Attempt from the start, or from any job, by a person (platform §2.3)."""

from __future__ import annotations

from dataclasses import dataclass

from kivuko.errors import MoveRefused, RecordMissing
from kivuko.records.guards import RERUN_INTERVAL_US, Guards
from kivuko.records.ids import Id
from kivuko.records.inputs import Inputs
from kivuko.records.ledger import Ledger
from kivuko.records.reports import Report
from kivuko.records.rows import Attempt, AttemptRun, LiveAttempt, Run, StartGuard, WorkOrder
from kivuko.records.starting import IMMEDIATE, Input, Started
from kivuko.records.states import AttemptState, Cause, LiveState, Needs

__all__ = ["Retry", "retry"]


@dataclass(frozen=True)
class Retry(Report[Started]):
    """Tries a finished Attempt again. ``retry_id`` and ``runs`` (run id, job id) are new; the snapshot is usually the latest one.

    With ``from_run_id`` the new Attempt begins at that Run's job with its input, and shows the earlier Attempt's Runs that do not come
    after it. Without, it begins at the start node, and ``runs`` are the jobs reached unconditionally.
    """

    retry_id: Id
    snapshot_id: Id
    start_node: Id
    runs: tuple[tuple[Id, Id], ...]
    from_run_id: Id | None = None
    queue: str = "manual"
    needs: Needs = Needs.JAVASCRIPT
    options: bytes | None = None
    guard_us: int = RERUN_INTERVAL_US


def retry(ledger: Ledger, intent: Retry) -> Started:
    """Makes the Attempt. Raises RecordMissing, MoveRefused (still under way), BodyWiped or TooSoon."""
    earlier = ledger.attempts.get(intent.attempt_id)
    if earlier is None:
        raise RecordMissing(f"attempt {intent.attempt_id} does not exist")
    order = ledger.work_orders[earlier.work_order_id]
    started = Started(order.id, intent.retry_id, tuple(run for run, _ in intent.runs))
    if intent.retry_id in ledger.attempts:
        return started
    if not earlier.state.finished:
        raise MoveRefused(f"attempt {earlier.id} is still {earlier.state.name.lower()}", fix="Wait for its end, or cancel it.")
    source = _source(ledger, earlier, intent)
    given = _checked_input(ledger, order, source)
    _take_guards(ledger, order, intent)
    ledger.add_attempt(_attempt(earlier, intent), _live_attempt(ledger, earlier, intent))
    for run_id, job_id in intent.runs:
        ledger.add_run(_run(ledger, intent, given, source, run_id, job_id, order))
    if source is not None:
        kept = _not_after(ledger.runs(earlier), source)
        ledger.add_rows(AttemptRun(intent.retry_id, run.id) for run in kept if run.finished_at is not None)
    return started


def _source(ledger: Ledger, earlier: Attempt, intent: Retry) -> Run | None:
    if intent.from_run_id is None:
        return None
    for run in ledger.runs(earlier):
        if run.id == intent.from_run_id:
            return run
    raise RecordMissing(f"run {intent.from_run_id} is none of attempt {earlier.id}")


def _checked_input(ledger: Ledger, order: WorkOrder, source: Run | None) -> Input:
    dataclip = source.input_dataclip_id if source else order.dataclip_id
    given = Input(order.message_id, order.message_version, dataclip)
    return Inputs(ledger.transaction.connection, [given], ledger.messages).checked(given)


def _take_guards(ledger: Ledger, order: WorkOrder, intent: Retry) -> None:
    if order.message_id is None or not intent.guard_us:
        return
    guards = Guards(ledger.transaction.connection, [order.message_id], [job for _, job in intent.runs], ledger.now_us)
    guards.check(order.message_id, intent.runs, intent.guard_us)
    for run_id, job_id in intent.runs:
        guards.take(StartGuard(order.message_id, job_id, ledger.now_us, run_id))
    guards.write()


def _not_after(runs: list[Run], source: Run) -> list[Run]:
    """The Runs that neither are nor follow this one."""
    after = {source.id}
    # Runs are in the order they were made: a Run's parent comes before it.
    for run in runs:
        if run.parent_run_id in after:
            after.add(run.id)
    return [run for run in runs if run.id not in after]


def _attempt(earlier: Attempt, intent: Retry) -> Attempt:
    return Attempt(
        id=intent.retry_id,
        project_id=earlier.project_id,
        work_order_id=earlier.work_order_id,
        workflow_id=earlier.workflow_id,
        snapshot_id=intent.snapshot_id,
        start_node=intent.start_node,
        cause=Cause.RERUN,
        state=AttemptState.QUEUED,
        retry_of=earlier.id,
        options=intent.options if intent.options is not None else earlier.options,
    )


def _live_attempt(ledger: Ledger, earlier: Attempt, intent: Retry) -> LiveAttempt:
    return LiveAttempt(
        attempt_id=intent.retry_id,
        project_id=earlier.project_id,
        workflow_id=earlier.workflow_id,
        queue=intent.queue,
        priority=IMMEDIATE,
        available_at=ledger.now_us,
        needs=intent.needs,
        state=LiveState.QUEUED,
    )


def _run(ledger: Ledger, intent: Retry, given: Input, source: Run | None, run_id: Id, job_id: Id, order: WorkOrder) -> Run:
    return Run(
        id=run_id,
        project_id=order.project_id,
        attempt_id=intent.retry_id,
        job_id=job_id,
        snapshot_id=intent.snapshot_id,
        cause=Cause.RERUN,
        queued_at=ledger.now_us,
        parent_run_id=source.parent_run_id if source else order.parent_run_id,
        message_id=given.message_id,
        message_version=given.message_version,
        input_dataclip_id=given.dataclip_id,
    )
