"""How Attempts end, or stop for a while: reported, cancelled, lost, handed back, parked (server-and-data §4.2 and §6)."""

from __future__ import annotations

from dataclasses import replace

from kivuko.errors import RecordMissing
from kivuko.records.chains import follow_attempt
from kivuko.records.ids import Id, new_id
from kivuko.records.ledger import Ledger
from kivuko.records.life import finish_run, owned
from kivuko.records.moves import Move, check_move, state_for
from kivuko.records.reports import Abandon, Cancel, EndAttempt, Expire, HandBack, Leave, Park
from kivuko.records.rows import Attempt, LiveAttempt, Run
from kivuko.records.rules import Rules
from kivuko.records.starting import IMMEDIATE
from kivuko.records.states import AttemptState, Cause, ExitReason, LiveState, Needs, NoticeKind

__all__ = ["cancel", "end_attempt", "free", "hand_back", "leave", "park"]

EXPIRED_CLAIMS = 5
"""So many claims of one Attempt may expire before it began; with the last it is lost."""

_HELD = (AttemptState.CLAIMED, AttemptState.STARTED)


def end_attempt(ledger: Ledger, report: EndAttempt, rules: Rules) -> AttemptState:
    """The worker says how it ended. A late report overrules ``lost`` unless a retry has begun."""
    attempt = owned(ledger, report)
    if attempt.state is AttemptState.LOST:
        return _end_late(ledger, attempt, report, rules)
    if attempt.state not in _HELD:
        return attempt.state
    _note_end(ledger, attempt, report)
    _close_runs(ledger, attempt, report.reason, report.error_type, rules)
    _finish(ledger, attempt, state_for(report.reason), Move.END, report.error_type)
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
        _lose(ledger, attempt, "LostAfterStart", rules)
    elif attempt.state is AttemptState.CLAIMED:
        attempt.expired_claims += 1
        if attempt.expired_claims >= EXPIRED_CLAIMS and attempt.cancel_requested_at is None:
            _lose(ledger, attempt, "LostAfterClaim", rules)
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
        _lose(ledger, attempt, "LostAfterStart", rules)
    elif attempt.state is AttemptState.CLAIMED:
        _requeue(ledger, attempt, Move.HAND_BACK, rules)
    return attempt.state


def park(ledger: Ledger, report: Park, rules: Rules) -> AttemptState:
    """The Attempt waits in the queue for a job's next try; neither an expiry nor a new Attempt. Raises MoveRefused before its start."""
    attempt = owned(ledger, report)
    if attempt.state not in _HELD:
        return attempt.state
    if attempt.cancel_requested_at is not None:
        _cancel_now(ledger, attempt, Move.PARK, rules)
        return attempt.state
    check_move(attempt.state, AttemptState.PARKED, Move.PARK)
    attempt.state = AttemptState.PARKED
    attempt.executed_ms += report.executed_ms
    live = ledger.live[attempt.id]
    _release(ledger, live, LiveState.PARKED)
    live.available_at = report.available_at
    live.needs |= Needs.FRONTIER
    for run in _unfinished(ledger, attempt):
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
        _cancel_now(ledger, attempt, Move.CANCEL, rules, keep_slot=attempt.state in _HELD)
    ledger.transaction.tell("cancel", attempt.project_id, attempt.id)
    return attempt.state


def _cancel_now(ledger: Ledger, attempt: Attempt, by: Move, rules: Rules, *, keep_slot: bool = False) -> None:
    for run in _unfinished(ledger, attempt):
        finish_run(ledger, run, ExitReason.CANCEL, "Cancelled", rules)
    if keep_slot:
        live = ledger.live[attempt.id]
        live.state = LiveState.LEAVING
        ledger.touch(live)
    _finish(ledger, attempt, AttemptState.CANCELLED, by, "Cancelled", keep_slot=keep_slot)
    follow_attempt(ledger, attempt, rules)


def _requeue(ledger: Ledger, attempt: Attempt, by: Move, rules: Rules) -> None:
    if attempt.cancel_requested_at is not None:
        _cancel_now(ledger, attempt, by, rules)
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


def _finish(ledger: Ledger, attempt: Attempt, state: AttemptState, by: Move, error_type: str | None, *, keep_slot: bool = False) -> None:
    check_move(attempt.state, state, by)
    attempt.state = state
    attempt.error_type = error_type
    attempt.finished_at = ledger.now_us
    if not keep_slot:
        ledger.dequeue(attempt)
    ledger.count(attempt)
    ledger.moved(attempt)


def _note_end(ledger: Ledger, attempt: Attempt, report: EndAttempt) -> None:
    attempt.executed_ms += report.executed_ms
    attempt.final_dataclip_id = ledger.add_dataclip(report.final) or report.final_dataclip_id
    if report.webhook_response is not None:
        attempt.webhook_response = report.webhook_response


def _unfinished(ledger: Ledger, attempt: Attempt) -> list[Run]:
    return [run for run in ledger.runs(attempt) if run.finished_at is None]


def _close_runs(ledger: Ledger, attempt: Attempt, reason: ExitReason, error_type: str | None, rules: Rules) -> None:
    """No Run of an ended Attempt stays unfinished.

    When no Run has told of the end's reason (a credential that does not load, a job that does not compile), those that waited have it,
    so that their failure triggers fire. Else they were not reached, because another path crashed or an edge led elsewhere.
    """
    left = _unfinished(ledger, attempt)
    told = any(run.exit_reason not in (None, ExitReason.SUCCESS, ExitReason.CANCEL) for run in ledger.runs(attempt))
    for run in left:
        if reason is ExitReason.CANCEL:
            finish_run(ledger, run, ExitReason.CANCEL, "Cancelled", rules)
        elif run.started_at is not None and (reason is ExitReason.SUCCESS or told):
            finish_run(ledger, run, ExitReason.EXCEPTION, "UnknownReason", rules)
        elif reason is ExitReason.SUCCESS or told:
            finish_run(ledger, run, ExitReason.CANCEL, "NotReached", None)
        else:
            finish_run(ledger, run, reason, error_type, rules)


def _lose(ledger: Ledger, attempt: Attempt, error_type: str, rules: Rules) -> None:
    if attempt.cancel_requested_at is not None:
        _cancel_now(ledger, attempt, Move.EXPIRE, rules)
        return
    live = ledger.live[attempt.id]
    frontier = _unfinished(ledger, attempt)
    retried = _may_retry(ledger, attempt, live, frontier, rules)
    begun = attempt.state is AttemptState.STARTED
    for run in frontier:
        finish_run(ledger, run, ExitReason.LOST, error_type, None if retried else rules)
    _finish(ledger, attempt, AttemptState.LOST, Move.EXPIRE, error_type)
    ledger.notify(NoticeKind.ATTEMPT_LOST, attempt.project_id, attempt.id)
    if retried:
        _retry(ledger, attempt, live, frontier, begun=begun)
    else:
        follow_attempt(ledger, attempt, rules)


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


def _retry(ledger: Ledger, lost: Attempt, live: LiveAttempt, frontier: list[Run], *, begun: bool) -> Attempt:
    retry = Attempt(
        id=new_id(),
        project_id=lost.project_id,
        work_order_id=lost.work_order_id,
        workflow_id=lost.workflow_id,
        snapshot_id=lost.snapshot_id,
        start_node=lost.start_node,
        cause=Cause.RETRY,
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
    for run in frontier:
        ledger.add_run(_copy(run, retry.id, ledger.now_us))
    return retry


def _copy(run: Run, attempt_id: Id, now_us: int) -> Run:
    return replace(
        run,
        id=new_id(),
        attempt_id=attempt_id,
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


def _end_late(ledger: Ledger, attempt: Attempt, report: EndAttempt, rules: Rules) -> AttemptState:
    waiting = []
    for retry in ledger.retries(attempt):
        if retry.state in (AttemptState.QUEUED, AttemptState.PARKED):
            waiting.append(retry)
        elif not (retry.state is AttemptState.CANCELLED and retry.error_type == "Overtaken"):
            # The retry owns the result; what the late worker says is information only.
            ledger.transaction.tell("late_report", attempt.project_id, attempt.id)
            return attempt.state
    for retry in waiting:
        _overtake(ledger, retry)
    ledger.count(attempt, -1)
    _note_end(ledger, attempt, report)
    for run in ledger.runs(attempt):
        if run.exit_reason is ExitReason.LOST and report.reason is not ExitReason.LOST:
            _overrule(ledger, run, report, rules)
    _finish(ledger, attempt, state_for(report.reason), Move.END, report.error_type)
    ledger.transaction.tell("overruled", attempt.project_id, attempt.id)
    follow_attempt(ledger, attempt, rules)
    return attempt.state


def _overrule(ledger: Ledger, run: Run, report: EndAttempt, rules: Rules) -> None:
    """A Run that was given up as lost and that the late worker did not report: it was not reached, or ended as the Attempt did."""
    if run.started_at is None and report.reason is ExitReason.SUCCESS:
        finish_run(ledger, run, ExitReason.CANCEL, "NotReached", None)
    elif report.reason is not ExitReason.SUCCESS:
        finish_run(ledger, run, report.reason, report.error_type, rules)


def _overtake(ledger: Ledger, retry: Attempt) -> None:
    for run in list(ledger.runs(retry)):
        ledger.delete_run(run)
    check_move(retry.state, AttemptState.CANCELLED, Move.OVERTAKE)
    retry.state = AttemptState.CANCELLED
    retry.error_type = "Overtaken"
    retry.finished_at = ledger.now_us
    ledger.dequeue(retry)
    ledger.moved(retry)
