"""How an Attempt ended, with what was done before it where it went on from a frontier (worker-protocol §11, server-and-data §6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kivuko.runtime import AttemptResult
from kivuko.runtime.leaves import Leaves
from kivuko.worker.plan import TakenOver
from kivuko.worker.reports import attempt_row, joined_leaves

__all__ = ["end_row"]

_ENDS_ALL = frozenset({"crash", "kill", "exception"})


def end_row(
    result: AttemptResult,
    taken_over: TakenOver | None,
    *,
    executed_ms: int,
    clip_of: Callable[[bytes], str | None],
    body_of: Callable[[str], bytes | None],
    most_bytes: int,
) -> dict[str, object]:
    """``run:complete``: the reason and the final state, from the leaves of all that belongs together.

    ``clip_of`` tells under which id an output of this Attempt is stored, ``body_of`` gives the body of an earlier leaf. A final state that
    is larger than ``most_bytes`` is left out.
    """
    row = attempt_row(result, executed_ms=executed_ms)
    if taken_over is not None:
        row |= _inherited(row, taken_over)
    earlier = taken_over.leaves if taken_over is not None else ()
    if len(earlier) + len(result.leaves) == 1:
        clip_id = earlier[0][1] if earlier else clip_of(next(iter(result.leaves.values())))
        return row if clip_id is None else {**row, "final_dataclip_id": clip_id}
    leaves = _all_leaves(result.leaves, earlier, body_of) if earlier else result.leaves
    state = joined_leaves(leaves) if leaves else b""
    return {**row, "final_state": state} if state and len(state) <= most_bytes else row


def _inherited(row: Mapping[str, object], earlier: TakenOver) -> dict[str, object]:
    """The first crash stays the reason; a leaf that failed before is the reason unless worse came after it."""
    overrules = earlier.reason in _ENDS_ALL or (earlier.reason == "fail" and row["reason"] in ("success", "fail"))
    if row["reason"] == "cancel" or not overrules:
        return {}
    return {"reason": earlier.reason, "error_type": earlier.error_type, "error_message": earlier.error_message}


def _all_leaves(
    leaves: Mapping[str, bytes], earlier: tuple[tuple[str, str], ...], body_of: Callable[[str], bytes | None]
) -> Mapping[str, bytes]:
    found = Leaves()
    for job_id, clip_id in earlier:
        found.add(job_id, body_of(clip_id))
    for job_id, state in leaves.items():
        found.add(job_id, state)
    return found.by_name()
