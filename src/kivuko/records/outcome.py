"""What an Attempt comes to when all its Runs have ended: from its leaves, and from a crash wherever it was (server-and-data §6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kivuko.records.ids import Id
from kivuko.records.rows import Run
from kivuko.records.states import ExitReason

__all__ = ["Outcome", "outcome_of"]

_WORSE_THAN_FAIL = (ExitReason.CRASH, ExitReason.KILL, ExitReason.EXCEPTION)
_NOTHING_TOLD = (None, ExitReason.LOST, ExitReason.CANCEL)


@dataclass(frozen=True)
class Outcome:
    """The reason of the end and its error type. ``final_dataclip_id`` is the output of the only leaf, None when there are several."""

    reason: ExitReason
    error_type: str | None
    final_dataclip_id: Id | None


def outcome_of(runs: Sequence[Run]) -> Outcome | None:
    """The outcome of the Runs of an Attempt and of those it took over, oldest first; None when none of them was reported to have ended."""
    told = [run for run in runs if run.exit_reason not in _NOTHING_TOLD]
    if not told:
        return None
    followed = {run.parent_run_id for run in runs}
    leaves = [run for run in told if run.id not in followed]
    crashed = next((run for run in told if run.exit_reason in _WORSE_THAN_FAIL), None)
    worst = crashed or next((run for run in leaves if run.exit_reason is ExitReason.FAIL), None)
    reason = (worst.exit_reason if worst else None) or ExitReason.SUCCESS
    return Outcome(reason, worst.error_type if worst else None, leaves[0].output_dataclip_id if len(leaves) == 1 else None)
