"""What an end starts elsewhere: success, failure and ``always`` triggers, made in the transaction of the end (server-and-data §7)."""

from __future__ import annotations

from collections.abc import Sequence

from kivuko.records.ids import Id
from kivuko.records.ledger import Ledger
from kivuko.records.rows import Attempt, JobState, OnceOnly, Run, StartGuard
from kivuko.records.rules import DEEPEST_CHAIN, Rules, RunEnd, WorkflowEnd
from kivuko.records.starting import Input, Origin, Start, start_rows
from kivuko.records.states import AttemptState, ExitReason, NoticeKind, Once

__all__ = ["follow_attempt", "follow_run"]


def follow_run(ledger: Ledger, run: Run, rules: Rules) -> None:
    """Starts what waits for the end of this Run. Its input is what the Run gave, or what it got when it gave nothing."""
    attempt = ledger.attempts[run.attempt_id]
    reason = run.exit_reason
    end = RunEnd(run.project_id, attempt.workflow_id, run.job_id, reason is ExitReason.SUCCESS, reason is ExitReason.CANCEL)
    _start(ledger, attempt, rules.followers(end), run.id, run.output_dataclip_id or run.input_dataclip_id, happened=run.id)


def follow_attempt(ledger: Ledger, attempt: Attempt, rules: Rules) -> None:
    """Starts what waits for the end of this Attempt's workflow."""
    cancelled = attempt.state is AttemptState.CANCELLED
    end = WorkflowEnd(attempt.project_id, attempt.workflow_id, attempt.state is AttemptState.SUCCESS, cancelled)
    runs = [run for run in ledger.runs(attempt) if run.finished_at is not None]
    last = max(runs, key=lambda run: (run.finished_at or 0, run.id)).id if runs else None
    _start(ledger, attempt, rules.followers(end), last, attempt.final_dataclip_id, happened=attempt.id)


def _start(
    ledger: Ledger, attempt: Attempt, starts: Sequence[Start], parent_run_id: Id | None, dataclip_id: Id | None, *, happened: Id
) -> None:
    order = ledger.work_orders[attempt.work_order_id]
    if starts and order.depth >= DEEPEST_CHAIN:
        ledger.notify(NoticeKind.CHAIN_TOO_DEEP, attempt.project_id, happened)
        return
    message = ledger.messages.get(order.message_id) if order.message_id else None
    for start in starts:
        origin = Origin(attempt.project_id, parent_run_id, order.depth + 1)
        given = Input(order.message_id, order.message_version, dataclip_id)
        first = message.run_count + 1 if message else 1
        rows = start_rows(start, origin, given, now_us=ledger.now_us, first_number=first)
        if message:
            message.run_count += len(start.runs)
            ledger.touch(message)
        for row in rows:
            if isinstance(row, JobState):
                ledger.need_pair((row.message_id, row.job_id))
        # The 10-second rule is for direct starts: a chain leaves no guard. It happens once because the end does; the row says so for ever.
        ledger.add_rows(row for row in rows if not isinstance(row, JobState | StartGuard))
        ledger.add_rows([OnceOnly(Once.CHAIN, happened + (start.trigger_id or start.workflow_id), start.work_order_id)])
        ledger.transaction.tell("work_order", attempt.project_id, start.work_order_id)
        ledger.transaction.tell("queued", attempt.project_id, start.workflow_id)
