"""What a worker reports, in the wire's words (worker-protocol §8, §11)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence

import orjson

from kivuko.engines import RunError
from kivuko.runtime import AttemptResult, EndedVisit, Follow
from kivuko.workflow import SUCCESS_WORDS

__all__ = ["CANCELLED", "attempt_row", "follow_row", "new_wire_id", "run_row", "timestamp", "webhook_response"]

CANCELLED = "Cancelled"
"""The error of what was cancelled, in the engine and on the wire."""

_MOST_MESSAGE_CHARACTERS = 50_000
_EMPTY_LEAVES = (b"{}", b'{"data":{}}')


def timestamp() -> str:
    """Now: microseconds since 1970, as a text (worker-protocol §8)."""
    return str(time.time_ns() // 1000)


def new_wire_id() -> str:
    """An id for a dataclip, which the server knows by it within this Attempt."""
    return str(uuid.uuid4())


def run_row(
    visit: EndedVisit, clip_id: str | None, *, next_rows: Sequence[Mapping[str, object]], sends_output: bool, withheld: bool
) -> dict[str, object]:
    """``step:complete``: what became of a Run."""
    record, error = visit.record, visit.record.error
    row: dict[str, object] = {
        "step_id": visit.ticket,
        "job_id": visit.job.id,
        "timestamp": timestamp(),
        "duration": round(record.duration_ms),
        "reason": _reason(error),
        "error_type": record.error_type,
        "error_message": error.message[:_MOST_MESSAGE_CHARACTERS] if error else None,
        "tries": visit.tries,
        "next": list(next_rows),
    }
    if record.ok:
        row["mem"] = {"job": record.heap_bytes, "system": record.rss_bytes}
    if error is not None:
        row["error"] = _error(error)
    if withheld:
        row["output_dataclip_error"] = "DATACLIP_TOO_LARGE"
    elif clip_id is not None:
        row["output_dataclip_id"] = clip_id
        if sends_output or any(entry.get("input_dataclip_id") == clip_id for entry in next_rows):
            row["output_dataclip"] = _body(visit.state)
    return row


def follow_row(follow: Follow, clip_id: str | None) -> dict[str, object]:
    """One of ``next``: a job that is reached, and its input: the output that was just stored, or one made for this edge."""
    row: dict[str, object] = {"job_id": follow.node.id, "cause": _cause(follow)}
    if follow.changed or follow.state is None:
        row["input_dataclip"] = _body(follow.state)
    elif clip_id is not None:
        row["input_dataclip_id"] = clip_id
    return row


def attempt_row(result: AttemptResult, *, executed_ms: int) -> dict[str, object]:
    """``run:complete``, without the final state."""
    cancelled = result.error is not None and result.error.name == CANCELLED
    return {
        "timestamp": timestamp(),
        "reason": "cancel" if cancelled else result.reason,
        "error_type": result.error_type,
        "error_message": result.error_message[:_MOST_MESSAGE_CHARACTERS] if result.error_message else None,
        "executed_ms": executed_ms,
    }


def joined_leaves(leaves: Mapping[str, bytes]) -> bytes | None:
    """The final state of several leaves: by job id, without those that hold nothing (worker-protocol §11)."""
    kept = {name: state for name, state in leaves.items() if state not in _EMPTY_LEAVES}
    members = (orjson.dumps(name) + b":" + state for name, state in kept.items())
    return b"{" + b",".join(members) + b"}"


def webhook_response(state: bytes) -> object:
    """What a job wants answered to the sender: ``webhookResponse`` of its state; None when it says nothing."""
    if b'"webhookResponse"' not in state:
        return None
    try:
        parsed = orjson.loads(state)
    except orjson.JSONDecodeError:
        return None
    return parsed.get("webhookResponse") if isinstance(parsed, dict) else None


def _body(state: bytes | None) -> bytes:
    # Engines hand large states on in the buffers they were read into.
    return b"{}" if state is None else bytes(state)


def _reason(error: RunError | None) -> str:
    if error is None:
        return "success"
    return "cancel" if error.name == CANCELLED else error.severity


def _cause(follow: Follow) -> str:
    if follow.edge is not None and follow.edge.is_for_failure:
        return "failure"
    return "success" if follow.edge is not None and follow.edge.word in SUCCESS_WORDS else "edge"


def _error(error: RunError) -> dict[str, object]:
    """What people need to see of an error, in the Run's record (R-061)."""
    told: dict[str, object] = {
        "name": error.name,
        "subtype": error.subtype,
        "severity": error.severity,
        "message": error.message[:_MOST_MESSAGE_CHARACTERS],
        "operation": error.operation,
        "line": error.line or error.operation_line,
        "column": error.column,
        "src": error.src,
        "action": error.fix or None,
    }
    return {key: value for key, value in told.items() if value is not None}
