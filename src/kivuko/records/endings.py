"""How Attempts end, or stop for a while: reported, cancelled, lost, handed back, parked (server-and-data §4.2 and §6)."""

from __future__ import annotations

from kivuko.errors import RecordMissing
from kivuko.records.chains import follow_attempt
from kivuko.records.finishing import cancel_now, finish_attempt, note_end, unfinished_runs
from kivuko.records.late import end_late
from kivuko.records.ledger import Ledger
from kivuko.records.life import finish_run, owned
from kivuko.records.losing import lose
from kivuko.records.moves import Move, check_move, state_for
from kivuko.records.reports import Abandon, Cancel, EndAttempt, Expire, HandBack, Leave, Park
from kivuko.records.rows import Attempt, LiveAttempt
from kivuko.records.rules import Rules
from kivuko.records.states import AttemptState, ExitReason, LiveState, Needs

__all__ = ["cancel", "end_attempt", "free", "hand_back", "leave", "park"]

EXPIRED_CLAIMS = 5
"""So many claims of one Attempt may expire before it began; with the last it is lost."""

_HELD = (AttemptState.CLAIMED, AttemptState.STARTED)


def end_attempt(ledger: Ledger, report: EndAttempt, rules: Rules) -> AttemptState:
    """The worker says how it ended. A late report overrules ``lost`` unless a retry has begun."""
    attempt = owned(ledger, report)
    if attempt.state is AttemptState.LOST:
        return end_late(ledger, attempt, report, rules)
    if attempt.state not in _HELD:
        return attempt.state
    note_end(ledger, attempt, report)
    _close_runs(ledger, attempt, report, rules)
    finish_attempt(ledger, attempt, state_for(report.reason), Move.END, report.error_type)
    follow_attempt(ledger, attempt, rules)
    return attempt.state


def hand_back(ledger: Ledger, report: HandBack, rules: Rules) -> AttemptState:
    """Gives back what has not begun. Raises MoveRefused for what has."""
    attempt = owned(ledger, report)
    if attempt.state in _HELD:
        _requeue(ledger, attempt, Move.HAND_BACK, rules)
    return attempt.state


def free(ledger: Ledger, report: Expire | Abandon, rules: Rules) -> AttemptState:
    """The worker is gone, or gave up: what it had not begun goes back, what it had is lost."""
    attempt = owned(ledger, report)
    live = ledger.live.get(attempt.id)
    if live is None or (isinstance(report, Expire) and report.renewed != live.renewed):
        return attempt.state
    if live.state is LiveState.LEAVING:
        ledger.dequeue(attempt)
    elif attempt.state is AttemptState.STARTED:
        lose(ledger, attempt, "LostAfterStart", rules)
    elif attempt.state is AttemptState.CLAIMED:
        attempt.expired_claims += 1
        if attempt.expired_claims >= EXPIRED_CLAIMS and attempt.cancel_requested_at is None:
            lose(ledger, attempt, "LostAfterClaim", rules)
        else:
            _requeue(ledger, attempt, Move.EXPIRE, rules)
    return attempt.state


def leave(ledger: Ledger, report: Leave, rules: Rules) -> AttemptState:
    """A foreign worker is done with the topic."""
    attempt = owned(ledger, report)
    live = ledger.live.get(attempt.id)
    if live and live.state is LiveState.LEAVING:
        ledger.dequeue(attempt)
    elif attempt.state is AttemptState.STARTED:
        lose(ledger, attempt, "LostAfterStart", rules)
    elif attempt.state is AttemptState.CLAIMED:
        _requeue(ledger, attempt, Move.HAND_BACK, rules)
    return attempt.state


def park(ledger: Ledger, report: Park, rules: Rules) -> AttemptState:
    """The Attempt waits in the queue for a job's next try; neither an expiry nor a new Attempt. Raises MoveRefused before its start."""
    attempt = owned(ledger, report)
    if attempt.state not in _HELD:
        return attempt.state
    if attempt.cancel_requested_at is not None:
        cancel_now(ledger, attempt, Move.PARK, rules)
        return attempt.state
    check_move(attempt.state, AttemptState.PARKED, Move.PARK)
    attempt.state = AttemptState.PARKED
    attempt.executed_ms += report.executed_ms
    live = ledger.live[attempt.id]
    _release(ledger, live, LiveState.PARKED)
    live.available_at = report.available_at
    live.needs |= Needs.FRONTIER
    for run in unfinished_runs(ledger, attempt):
        run.started_at = None
        ledger.touch_run(run)
    ledger.moved(attempt)
    return attempt.state


def cancel(ledger: Ledger, report: Cancel, rules: Rules) -> AttemptState:
    """Cancels: at once what no worker of ours holds, else by asking its worker. Raises RecordMissing."""
    attempt = ledger.attempts.get(report.attempt_id)
    if attempt is None:
        raise RecordMissing(f"attempt {report.attempt_id} does not exist")
    if attempt.state.finished:
        return attempt.state
    if attempt.cancel_requested_at is None:
        attempt.cancel_requested_at = ledger.now_us
        attempt.cancel_requested_by = report.by
        ledger.touch(attempt)
    live = ledger.live[attempt.id]
    if attempt.state not in _HELD or ledger.is_foreign(live):
        cancel_now(ledger, attempt, Move.CANCEL, rules, keep_slot=attempt.state in _HELD)
    ledger.transaction.tell("cancel", attempt.project_id, attempt.id)
    return attempt.state


def _requeue(ledger: Ledger, attempt: Attempt, by: Move, rules: Rules) -> None:
    if attempt.cancel_requested_at is not None:
        cancel_now(ledger, attempt, by, rules)
        return
    check_move(attempt.state, AttemptState.QUEUED, by)
    attempt.state = AttemptState.QUEUED
    attempt.worker_id = None
    attempt.claimed_at = None
    _release(ledger, ledger.live[attempt.id], LiveState.QUEUED)
    ledger.moved(attempt)
    ledger.transaction.tell("queued", attempt.project_id, attempt.workflow_id)


def _release(ledger: Ledger, live: LiveAttempt, state: LiveState) -> None:
    live.state = state
    live.worker_id = None
    live.lease_until = None
    ledger.touch(live)


def _close_runs(ledger: Ledger, attempt: Attempt, report: EndAttempt, rules: Rules) -> None:
    """No Run of an ended Attempt stays unfinished.

    When no Run has told of the end's reason (a credential that does not load, a job that does not compile), those that waited have it,
    so that their failure triggers fire. Else they were not reached, because another path crashed or an edge led elsewhere.
    """
    left, reason = unfinished_runs(ledger, attempt), report.reason
    told = any(run.exit_reason not in (None, ExitReason.SUCCESS, ExitReason.CANCEL) for run in ledger.runs(attempt))
    for run in left:
        if reason is ExitReason.CANCEL:
            finish_run(ledger, run, ExitReason.CANCEL, "Cancelled", rules)
        elif run.started_at is not None and (reason is ExitReason.SUCCESS or told):
            finish_run(ledger, run, ExitReason.EXCEPTION, "UnknownReason", rules)
        elif reason is ExitReason.SUCCESS or told:
            finish_run(ledger, run, ExitReason.CANCEL, "NotReached", None)
        else:
            run.error = report.error
            finish_run(ledger, run, reason, report.error_type, rules)
