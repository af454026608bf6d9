"""Losing an Attempt: its worker is gone. A new Attempt goes on from the frontier, or the failure edges do (server-and-data §6)."""

from __future__ import annotations

from dataclasses import replace

from kivuko.records.chains import follow_attempt
from kivuko.records.finishing import cancel_now, finish_attempt, unfinished_runs
from kivuko.records.ids import new_id
from kivuko.records.ledger import Ledger
from kivuko.records.life import finish_run
from kivuko.records.moves import Move, state_for
from kivuko.records.outcome import outcome_of
from kivuko.records.rows import Attempt, LiveAttempt, Run
from kivuko.records.rules import Rules
from kivuko.records.starting import IMMEDIATE
from kivuko.records.states import AttemptState, Cause, ExitReason, LiveState, Needs, NoticeKind

__all__ = ["lose"]


def lose(ledger: Ledger, attempt: Attempt, error_type: str, rules: Rules) -> None:
    """Gives an Attempt up as lost. A retry, the failure edges or nobody goes on; what had been asked to be cancelled is cancelled."""
    if attempt.cancel_requested_at is not None:
        cancel_now(ledger, attempt, Move.EXPIRE, rules)
        return
    live = ledger.live[attempt.id]
    frontier = unfinished_runs(ledger, attempt)
    retried = _may_retry(ledger, attempt, live, frontier, rules)
    begun = attempt.state is AttemptState.STARTED
    if begun and not frontier and not ledger.is_foreign(live) and _end_as_reported(ledger, attempt, live, rules):
        return
    for run in frontier:
        finish_run(ledger, run, ExitReason.LOST, error_type, None if retried else rules)
    finish_attempt(ledger, attempt, AttemptState.LOST, Move.EXPIRE, error_type)
    ledger.notify(NoticeKind.ATTEMPT_LOST, attempt.project_id, attempt.id)
    if retried:
        _go_on(ledger, attempt, live, Cause.RETRY, [_copy(run, ledger.now_us) for run in frontier], begun=begun)
        return
    failure_path = [run for lost in frontier for run in _failure_runs(ledger, lost, rules)]
    if failure_path:
        _go_on(ledger, attempt, live, Cause.FAILURE, failure_path, begun=True)
    else:
        follow_attempt(ledger, attempt, rules)


def _end_as_reported(ledger: Ledger, attempt: Attempt, live: LiveAttempt, rules: Rules) -> bool:
    """Ends an Attempt whose work was all reported, and of which only the end was not: nothing is left to be done again.

    What follows a Run is reported with its end, so there is nothing that nobody knows of. False when no Run has ended.
    """
    chain = [attempt]
    while live.needs & Needs.FRONTIER and (earlier := _lost_before(ledger, chain[-1])):
        chain.append(earlier)
    outcome = outcome_of(sorted((run for each in chain for run in ledger.runs(each)), key=lambda run: run.id))
    if outcome is None:
        return False
    attempt.final_dataclip_id = outcome.final_dataclip_id
    finish_attempt(ledger, attempt, state_for(outcome.reason), Move.END, outcome.error_type)
    follow_attempt(ledger, attempt, rules)
    return True


def _lost_before(ledger: Ledger, attempt: Attempt) -> Attempt | None:
    """The lost Attempt that this one goes on from."""
    earlier = ledger.attempts.get(attempt.retry_of) if attempt.retry_of else None
    return earlier if earlier and earlier.state is AttemptState.LOST else None


def _may_retry(ledger: Ledger, attempt: Attempt, live: LiveAttempt, frontier: list[Run], rules: Rules) -> bool:
    """Whether a new Attempt may go on from the frontier: retries are left, and all that it needs was reported and stored."""
    made, origin = 0, attempt
    while origin.retry_of is not None and origin.cause is Cause.RETRY and origin.retry_of in ledger.attempts:
        made, origin = made + 1, ledger.attempts[origin.retry_of]
    if made >= rules.lost_retries(attempt.workflow_id):
        return False
    if attempt.state is AttemptState.CLAIMED:
        return True
    stored = all(run.input_dataclip_id or run.message_id for run in frontier)
    return stored and not ledger.is_foreign(live)


def _go_on(ledger: Ledger, lost: Attempt, live: LiveAttempt, cause: Cause, runs: list[Run], *, begun: bool) -> None:
    """A new Attempt of the same work order, first in the queue, over these Runs."""
    retry = Attempt(
        id=new_id(),
        project_id=lost.project_id,
        work_order_id=lost.work_order_id,
        workflow_id=lost.workflow_id,
        snapshot_id=lost.snapshot_id,
        start_node=lost.start_node,
        cause=cause,
        state=AttemptState.QUEUED,
        retry_of=lost.id,
        executed_ms=lost.executed_ms,
        options=lost.options,
    )
    entry = LiveAttempt(
        attempt_id=retry.id,
        project_id=lost.project_id,
        workflow_id=lost.workflow_id,
        queue=live.queue,
        priority=IMMEDIATE,
        available_at=ledger.now_us,
        needs=live.needs | Needs.FRONTIER if begun else live.needs,
        state=LiveState.QUEUED,
    )
    ledger.add_attempt(retry, entry)
    for run in runs:
        run.attempt_id = retry.id
        ledger.add_run(run)


def _failure_runs(ledger: Ledger, lost: Run, rules: Rules) -> list[Run]:
    """Runs of the jobs that the lost Run's failure edges lead to, where its input is stored."""
    if not (lost.input_dataclip_id or lost.message_id):
        return []
    jobs = rules.failure_jobs(lost.snapshot_id, lost.job_id)
    return [replace(_copy(lost, ledger.now_us), job_id=job, cause=Cause.FAILURE, parent_run_id=lost.id) for job in jobs]


def _copy(run: Run, now_us: int) -> Run:
    return replace(
        run,
        id=new_id(),
        queued_at=now_us,
        run_number=None,
        wire_id=None,
        tries=0,
        started_at=None,
        finished_at=None,
        reported_finished_at=None,
        exit_reason=None,
        exit_code=None,
        error_type=None,
        error=None,
        output_dataclip_id=None,
        memory_bytes=None,
        worker_id=None,
    )
