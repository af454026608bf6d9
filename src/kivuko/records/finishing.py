"""The last step of an Attempt, whatever led to it: its state, its place in the queue, the day's counts."""

from __future__ import annotations

from kivuko.records.chains import follow_attempt
from kivuko.records.ledger import Ledger
from kivuko.records.life import finish_run
from kivuko.records.moves import Move, check_move
from kivuko.records.reports import EndAttempt
from kivuko.records.rows import Attempt, Run
from kivuko.records.rules import Rules
from kivuko.records.states import AttemptState, ExitReason, LiveState

__all__ = ["cancel_now", "finish_attempt", "note_end", "unfinished_runs"]


def unfinished_runs(ledger: Ledger, attempt: Attempt) -> list[Run]:
    """The Runs that have not ended, oldest first."""
    return [run for run in ledger.runs(attempt) if run.finished_at is None]


def finish_attempt(
    ledger: Ledger, attempt: Attempt, state: AttemptState, by: Move, error_type: str | None, *, keep_slot: bool = False
) -> None:
    """Gives an Attempt its final state. With ``keep_slot`` its entry in the queue stays, for a foreign worker that is still at it."""
    check_move(attempt.state, state, by)
    attempt.state = state
    attempt.error_type = error_type
    attempt.finished_at = ledger.now_us
    if not keep_slot:
        ledger.dequeue(attempt)
    ledger.count(attempt)
    ledger.moved(attempt)


def note_end(ledger: Ledger, attempt: Attempt, report: EndAttempt) -> None:
    """Notes what the worker tells with the end: how long it took, the final state, an answer to the sender."""
    attempt.executed_ms += report.executed_ms
    attempt.final_dataclip_id = ledger.add_dataclip(report.final) or report.final_dataclip_id
    if report.webhook_response is not None:
        attempt.webhook_response = report.webhook_response


def cancel_now(ledger: Ledger, attempt: Attempt, by: Move, rules: Rules, *, keep_slot: bool = False) -> None:
    """Cancels an Attempt and its unfinished Runs at once."""
    for run in unfinished_runs(ledger, attempt):
        finish_run(ledger, run, ExitReason.CANCEL, "Cancelled", rules)
    if keep_slot:
        live = ledger.live[attempt.id]
        live.state = LiveState.LEAVING
        ledger.touch(live)
    finish_attempt(ledger, attempt, AttemptState.CANCELLED, by, "Cancelled", keep_slot=keep_slot)
    follow_attempt(ledger, attempt, rules)
