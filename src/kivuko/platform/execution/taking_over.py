"""What is left of earlier tries when an Attempt goes on from its unfinished Runs (server-and-data §6, ``lost`` and after).

Reason and final state of such an Attempt come from the leaves of all Attempts that were taken over, and a crash is inherited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from kivuko.records import AttemptRecord, Cause, ExitReason, Run, read_attempt
from kivuko.records.database import Connection

__all__ = ["TakenOver", "taken_over"]

_TAKES_OVER = (Cause.RETRY, Cause.FAILURE)
_LONGEST_CHAIN = 50
_WORSE_THAN_FAIL = (ExitReason.CRASH, ExitReason.KILL, ExitReason.EXCEPTION)


@dataclass(frozen=True)
class TakenOver:
    """``runs``: all that ended before. ``leaves``: those of them that nothing followed. ``worst``: the one that gives the reason."""

    runs: tuple[Run, ...] = ()
    leaves: tuple[Run, ...] = ()
    worst: Run | None = None

    def as_json(self) -> dict[str, object]:
        """JSON values, reasons in OpenFn's words."""
        worst = self.worst
        error = orjson.loads(worst.error) if worst and worst.error else {}
        return {
            "reason": worst.exit_reason.name.lower() if worst and worst.exit_reason else None,
            "error_type": worst.error_type if worst else None,
            "error_message": error.get("message") if isinstance(error, dict) else None,
            "leaves": [
                {"job_id": str(run.job_id), "dataclip_id": str(run.output_dataclip_id)} for run in self.leaves if run.output_dataclip_id
            ],
        }


def taken_over(connection: Connection, record: AttemptRecord) -> TakenOver:
    """What ended earlier, in this Attempt and in those that it took over."""
    runs = _all_runs(connection, record)
    followed = {run.parent_run_id for run in runs}
    told = [run for run in runs if run.exit_reason not in (None, ExitReason.LOST, ExitReason.CANCEL)]
    leaves = tuple(run for run in told if run.id not in followed)
    return TakenOver(tuple(told), leaves, _worst(told, leaves))


def _all_runs(connection: Connection, record: AttemptRecord) -> Sequence[Run]:
    """The Runs of the Attempt and of those it took over, oldest first."""
    runs, attempt = list(record.runs), record.attempt
    for _ in range(_LONGEST_CHAIN):
        if attempt.retry_of is None or attempt.cause not in _TAKES_OVER:
            break
        earlier = read_attempt(connection, attempt.retry_of)
        runs += earlier.runs
        attempt = earlier.attempt
    return sorted(runs, key=lambda run: run.id)


def _worst(told: Sequence[Run], leaves: Sequence[Run]) -> Run | None:
    crashed = next((run for run in told if run.exit_reason in _WORSE_THAN_FAIL), None)
    return crashed or next((run for run in leaves if run.exit_reason is ExitReason.FAIL), None)
