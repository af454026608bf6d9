"""Notices: what the transactions of Runs and Attempts left for who sends mail (the outbox of server-and-data §7)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kivuko.records.database import Connection
from kivuko.records.ids import Id
from kivuko.records.intents import Intent, Transaction
from kivuko.records.rows import Notice, Run
from kivuko.records.states import Cause

__all__ = ["Dismiss", "dismiss", "is_handled", "last_lines_of_run", "waiting_notices"]


@dataclass(frozen=True)
class Dismiss(Intent[int]):
    """Deletes notices that were passed on; how many were still there."""

    family = "dismiss"
    alone = True
    notice_ids: tuple[Id, ...]


def dismiss(transaction: Transaction, intents: Sequence[Dismiss]) -> list[int]:
    """Deletes the notices of each intent."""
    return [
        transaction.connection.changed("notices_deleted", ids=sorted(intent.notice_ids)) if intent.notice_ids else 0 for intent in intents
    ]


def waiting_notices(connection: Connection, at_most: int = 100) -> list[Notice]:
    """The notices that nobody has passed on yet, oldest first."""
    return connection.load(Notice, "notices_waiting", at_most=at_most)


def is_handled(connection: Connection, run: Run) -> bool:
    """Whether something was started because this Run failed: a failure edge in its Attempt, or a failure trigger (R-131)."""
    after = (int.from_bytes(run.id, "big") + 1).to_bytes(16, "big")
    chained = connection.fetch("causes_chained_by", first=bytes(run.id), last=after)
    if any(cause == Cause.FAILURE for (cause,) in chained):
        return True
    others = connection.load(Run, "runs_read", id=run.attempt_id)
    return any(other.parent_run_id == run.id and other.cause is Cause.FAILURE for other in others)


def last_lines_of_run(connection: Connection, run: Run, at_most: int, without: Collection[str] = ()) -> list[str]:
    """The end of a Run's log, in order, without lines from these sources; looked for among its last 500."""
    found = connection.fetch("last_lines_of_run", attempt_id=run.attempt_id, run_id=run.id, at_most=500)
    return [message for source, message in found if source not in without][:at_most][::-1]
