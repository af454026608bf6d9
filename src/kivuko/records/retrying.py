"""Doing it again in the same work order: a new Attempt from the start, or from any job, by a person (platform §2.3)."""

from __future__ import annotations

from dataclasses import dataclass

from kivuko.errors import MoveRefused, RecordMissing
from kivuko.records.guards import RERUN_INTERVAL_US, Guards
from kivuko.records.ids import Id
from kivuko.records.inputs import Inputs
from kivuko.records.ledger import Ledger
from kivuko.records.reports import Report
from kivuko.records.rows import Attempt, AttemptRun, Dataclip, LiveAttempt, Run, StartGuard, WorkOrder
from kivuko.records.starting import IMMEDIATE, Input, Started
from kivuko.records.states import AttemptState, Cause, LiveState, Needs

__all__ = ["Retry", "retry"]


@dataclass(frozen=True)
class Retry(Report[Started]):
    """Tries a finished Attempt again. ``retry_id`` and ``runs`` (run id, job id) are new; the snapshot is usually the latest one.

    With ``from_run_id`` the new Attempt begins at that Run's job with its input, and shows the earlier Attempt's Runs that do not come
    after it. With ``frontier`` (Runs of a lost Attempt, in the order of ``runs``) it goes on with copies of those. Without either, it
    begins at the start node, and ``runs`` are the jobs reached unconditionally. ``given`` is another input than the one that was;
    ``saved_input`` is stored with it.
    """

    retry_id: Id
    snapshot_id: Id
    start_node: Id
    runs: tuple[tuple[Id, Id], ...]
    from_run_id: Id | None = None
    frontier: tuple[Id, ...] = ()
    given: Input | None = None
    saved_input: Dataclip | None = None
    queue: str = "manual"
    needs: Needs = Needs.JAVASCRIPT
    options: bytes | None = None
    guard_us: int = RERUN_INTERVAL_US

    @property
    def message_id(self) -> Id | None:
        """The message that another input comes from."""
        return self.given.message_id if self.given else None


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
    sources = _sources(ledger, earlier, intent)
    given = [_checked_input(ledger, order, intent, source) for source in sources or [None]]
    _take_guards(ledger, order, intent)
    ledger.add_attempt(_attempt(earlier, intent), _live_attempt(ledger, earlier, intent))
    ledger.add_dataclip(intent.saved_input)
    for (run_id, job_id), source, found in zip(intent.runs, sources, given, strict=False):
        ledger.add_run(_run(ledger, intent, found, source, run_id, job_id, order))
    if intent.from_run_id or intent.frontier:
        kept = _not_after(ledger.runs(earlier), {source.id for source in sources if source})
        ledger.add_rows(AttemptRun(intent.retry_id, run.id) for run in kept if run.finished_at is not None)
    return started


def _sources(ledger: Ledger, earlier: Attempt, intent: Retry) -> list[Run | None]:
    """The Run that each new one comes from; None for one that begins at the start node."""
    asked = intent.frontier or ((intent.from_run_id,) * len(intent.runs) if intent.from_run_id else ())
    known = {run.id: run for run in ledger.runs(earlier)}
    for run_id in asked:
        if run_id not in known:
            raise RecordMissing(f"run {run_id} is none of attempt {earlier.id}")
    return [known[run_id] for run_id in asked] if asked else [None] * len(intent.runs)


def _checked_input(ledger: Ledger, order: WorkOrder, intent: Retry, source: Run | None) -> Input:
    dataclip = source.input_dataclip_id if source else order.dataclip_id
    given = intent.given or Input(order.message_id, order.message_version, dataclip)
    coming = intent.saved_input.id if intent.saved_input else None
    return Inputs(ledger.transaction.connection, [given], ledger.messages).checked(given, coming=coming)


def _take_guards(ledger: Ledger, order: WorkOrder, intent: Retry) -> None:
    message_id = intent.given.message_id if intent.given else order.message_id
    if message_id is None or not intent.guard_us:
        return
    guards = Guards(ledger.transaction.connection, [message_id], [job for _, job in intent.runs], ledger.now_us)
    guards.check(message_id, intent.runs, intent.guard_us)
    for run_id, job_id in intent.runs:
        guards.take(StartGuard(message_id, job_id, ledger.now_us, run_id))
    guards.write()


def _not_after(runs: list[Run], sources: set[Id]) -> list[Run]:
    """The Runs that neither are nor follow these."""
    after = set(sources)
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
        needs=intent.needs | Needs.FRONTIER if intent.frontier else intent.needs,
        state=LiveState.QUEUED,
    )


def _run(ledger: Ledger, intent: Retry, given: Input, source: Run | None, run_id: Id, job_id: Id, order: WorkOrder) -> Run:
    return Run(
        id=run_id,
        project_id=order.project_id,
        attempt_id=intent.retry_id,
        job_id=job_id,
        snapshot_id=intent.snapshot_id,
        cause=source.cause if source and intent.frontier else Cause.RERUN,
        queued_at=ledger.now_us,
        parent_run_id=source.parent_run_id if source else order.parent_run_id,
        message_id=given.message_id,
        message_version=given.message_version,
        input_dataclip_id=given.dataclip_id,
    )
