"""Late reports: a worker that was given up tells how its Attempt ended after all (server-and-data §6)."""

from __future__ import annotations

from kivuko.records.chains import follow_attempt
from kivuko.records.finishing import finish_attempt, note_end
from kivuko.records.ledger import Ledger
from kivuko.records.life import finish_run
from kivuko.records.moves import Move, check_move, state_for
from kivuko.records.reports import EndAttempt
from kivuko.records.rows import Attempt, Run
from kivuko.records.rules import Rules
from kivuko.records.states import AttemptState, ExitReason

__all__ = ["end_late"]


def end_late(ledger: Ledger, attempt: Attempt, report: EndAttempt, rules: Rules) -> AttemptState:
    """The worker of a lost Attempt tells its end. That overrules ``lost``, unless a retry has begun: then it is information only."""
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
    note_end(ledger, attempt, report)
    for run in ledger.runs(attempt):
        if run.exit_reason is ExitReason.LOST and report.reason is not ExitReason.LOST:
            _overrule(ledger, run, report, rules)
    finish_attempt(ledger, attempt, state_for(report.reason), Move.END, report.error_type)
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
