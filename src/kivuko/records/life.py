"""The life of an Attempt under the hands of its worker: begun, Run after Run, what follows (server-and-data §4.2, §6, §7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kivuko.errors import RecordMissing, StaleClaim
from kivuko.records.chains import follow_run
from kivuko.records.exitcodes import exit_code
from kivuko.records.ids import Id
from kivuko.records.ledger import Ledger
from kivuko.records.moves import Move, check_move
from kivuko.records.reports import EndRun, Follow, OwnedReport, RunEnded, StartAttempt, StartRun
from kivuko.records.rows import Attempt, Run
from kivuko.records.rules import Rules
from kivuko.records.states import AttemptState, Cause, ExitReason, LiveState, NoticeKind

__all__ = ["WireIds", "end_run", "finish_run", "owned", "start_attempt", "start_run"]

WireIds = Mapping[tuple[Id, str], Id]
"""Dataclips by the ids that foreign workers gave them, per Attempt."""


def owned(ledger: Ledger, report: OwnedReport[Any]) -> Attempt:
    """The Attempt, when the report comes from its worker. Raises RecordMissing or StaleClaim."""
    attempt = ledger.attempts.get(report.attempt_id)
    if attempt is None:
        raise RecordMissing(f"attempt {report.attempt_id} does not exist")
    if report.claim_number != attempt.claim_number or attempt.state in (AttemptState.QUEUED, AttemptState.PARKED):
        raise StaleClaim(f"attempt {attempt.id} has claim number {attempt.claim_number} and is {attempt.state.name.lower()}")
    return attempt


def start_attempt(ledger: Ledger, report: StartAttempt) -> tuple[Id, ...]:
    """First report of a claim. The Runs of unconditional jobs wait already; those of other jobs are made now."""
    attempt = owned(ledger, report)
    if attempt.state is AttemptState.CLAIMED:
        check_move(attempt.state, AttemptState.STARTED, Move.START)
        attempt.state = AttemptState.STARTED
        attempt.started_at = attempt.started_at or ledger.now_us
        live = ledger.live[attempt.id]
        live.state = LiveState.STARTED
        ledger.touch(live)
        ledger.moved(attempt)
    if attempt.state is not AttemptState.STARTED:
        return tuple(follow.run_id for follow in report.next)
    beginning = [run for run in ledger.runs(attempt) if run.parent_run_id == ledger.work_orders[attempt.work_order_id].parent_run_id]
    return _reached(ledger, attempt, report.next, beginning, _first_parent(ledger, attempt))


def start_run(ledger: Ledger, report: StartRun, known: WireIds) -> Id:
    """A Run begins: the one that waits, or (from a foreign worker) one nobody had announced."""
    attempt = owned(ledger, report)
    run = _run_of(ledger, attempt, report)
    if attempt.state is AttemptState.CLAIMED:
        start_attempt(ledger, StartAttempt(attempt.id, report.claim_number))
    if attempt.state is not AttemptState.STARTED:
        return run.id if run else report.run_id
    run = run or ledger.add_run(_unannounced(ledger, attempt, report))
    if run.finished_at is None and run.started_at is None:
        run.started_at = ledger.now_us
        run.tries += 1
        run.worker_id = attempt.worker_id
        run.wire_id = report.wire_id or run.wire_id
        run.credential_id = report.credential_id or run.credential_id
        run.adaptor = report.adaptor or run.adaptor
        given = known.get((attempt.id, report.input_wire_id or ""), report.input_dataclip_id)
        run.input_dataclip_id = given or run.input_dataclip_id
        ledger.touch_run(run)
        ledger.transaction.tell("run", run.project_id, run.id)
    return run.id


def end_run(ledger: Ledger, report: EndRun, rules: Rules) -> RunEnded:
    """A Run ends, and what follows it is made in the same transaction. A repeated report changes nothing."""
    attempt = owned(ledger, report)
    run = _run_of(ledger, attempt, report)
    late = attempt.state is AttemptState.LOST
    if attempt.state not in (AttemptState.CLAIMED, AttemptState.STARTED, AttemptState.LOST) or (late and _taken_over(ledger, attempt)):
        return RunEnded(run.id if run else report.run_id, tuple(follow.run_id for follow in report.next))
    if attempt.state is AttemptState.CLAIMED:
        start_attempt(ledger, StartAttempt(attempt.id, report.claim_number))
    if run is None:
        run = ledger.add_run(_unannounced(ledger, attempt, report))
    if run.finished_at is None or (late and run.exit_reason is ExitReason.LOST):
        _note_result(ledger, attempt, run, report)
        finish_run(ledger, run, report.reason, report.error_type, rules)
    if late:
        return RunEnded(run.id, tuple(follow.run_id for follow in report.next))
    children = [other for other in ledger.runs(attempt) if other.parent_run_id == run.id]
    return RunEnded(run.id, _reached(ledger, attempt, report.next, children, run.id))


def finish_run(ledger: Ledger, run: Run, reason: ExitReason, error_type: str | None, rules: Rules | None) -> None:
    """Ends a Run for a reason. With ``rules`` its triggers fire and its administrators are told; without, it ends quietly."""
    run.finished_at = ledger.now_us
    run.exit_reason = reason
    run.error_type = error_type
    run.exit_code = exit_code(reason, error_type)
    ledger.touch_run(run)
    ledger.transaction.tell("run", run.project_id, run.id)
    if rules is not None:
        follow_run(ledger, run, rules)
        if reason not in (ExitReason.SUCCESS, ExitReason.CANCEL):
            ledger.notify(NoticeKind.RUN_FAILED, run.project_id, run.id)


def _note_result(ledger: Ledger, attempt: Attempt, run: Run, report: EndRun) -> None:
    run.started_at = run.started_at or ledger.now_us
    run.tries = report.tries or run.tries or 1
    run.worker_id = attempt.worker_id
    run.wire_id = report.wire_id or run.wire_id
    run.reported_finished_at = report.reported_at
    run.error = report.error
    run.memory_bytes = report.memory_bytes
    run.output_dataclip_id = ledger.add_dataclip(report.output)
    if report.webhook_response is not None:
        attempt.webhook_response = report.webhook_response
        ledger.touch(attempt)


def _run_of(ledger: Ledger, attempt: Attempt, report: StartRun | EndRun) -> Run | None:
    """The Run that a report means: by id, by a foreign worker's id, else the first one that waits for this job."""
    runs = ledger.runs(attempt)
    for run in runs:
        if run.id == report.run_id or (report.wire_id is not None and run.wire_id == report.wire_id):
            return run
    if report.wire_id is None:
        return None
    return next((run for run in runs if run.job_id == report.job_id and run.wire_id is None and _waits(run)), None)


def _waits(run: Run) -> bool:
    return run.finished_at is None and run.started_at is None


def _reached(
    ledger: Ledger, attempt: Attempt, follows: Sequence[Follow], existing: Iterable[Run], parent_run_id: Id | None
) -> tuple[Id, ...]:
    """The Runs of the jobs that are reached: those that are there already, in order, and new ones."""
    left = list(existing)
    ids = []
    for follow in follows:
        run = next((found for found in left if found.job_id == follow.job_id), None)
        if run is None:
            run = ledger.add_run(_following(ledger, attempt, follow, parent_run_id))
        else:
            left.remove(run)
        ids.append(run.id)
    return tuple(ids)


def _following(ledger: Ledger, attempt: Attempt, follow: Follow, parent_run_id: Id | None) -> Run:
    order = ledger.work_orders[attempt.work_order_id]
    return Run(
        id=follow.run_id,
        project_id=attempt.project_id,
        attempt_id=attempt.id,
        job_id=follow.job_id,
        snapshot_id=attempt.snapshot_id,
        cause=follow.cause,
        queued_at=ledger.now_us,
        parent_run_id=parent_run_id,
        message_id=order.message_id,
        message_version=order.message_version,
        input_dataclip_id=ledger.add_dataclip(follow.input) or follow.input_dataclip_id,
    )


def _unannounced(ledger: Ledger, attempt: Attempt, report: StartRun | EndRun) -> Run:
    run = _following(ledger, attempt, Follow(report.run_id, report.job_id, Cause.EDGE), None)
    run.wire_id = report.wire_id
    return run


def _first_parent(ledger: Ledger, attempt: Attempt) -> Id | None:
    return ledger.work_orders[attempt.work_order_id].parent_run_id


def _taken_over(ledger: Ledger, attempt: Attempt) -> bool:
    """Whether a retry of a lost Attempt owns the result: it has begun, or ended otherwise than by being overtaken."""
    return any(retry.state not in (AttemptState.QUEUED, AttemptState.PARKED, AttemptState.CANCELLED) for retry in ledger.retries(attempt))
