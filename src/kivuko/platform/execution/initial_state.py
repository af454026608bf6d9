"""The state that an Attempt, or a Run to go on with, begins with, by its cause (requirements §3.4).

Bodies are put together as bytes: nothing looks into a message or an output, but for the state after a failure, where the log and the error
of the failed Run are put in.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from kivuko.platform.workflows.document import WorkflowDocument
from kivuko.records import (
    AttemptRecord,
    Cause,
    ExitReason,
    Id,
    Payloads,
    Run,
    WorkOrder,
    read_attempt,
    read_dataclip,
    read_message_body,
    read_run,
    text_of_run,
)
from kivuko.records.database import Connection

__all__ = ["FAILURE_INPUTS", "InitialStates"]

FAILURE_INPUTS = ("initial", "at_error")
"""What a workflow after a failure begins with: what the failed Run began with (the default), or its state at the error."""

_DEEPEST = 25
_KEEPS_STATE = (ExitReason.SUCCESS, ExitReason.FAIL, ExitReason.CRASH)


class InitialStates:
    """Reads initial states on one connection. All raise RecordMissing or BodyWiped when an input is gone: it is never taken as ``{}``."""

    def __init__(self, connection: Connection, payloads: Payloads) -> None:
        self._connection = connection
        self._payloads = payloads

    def of_attempt(self, record: AttemptRecord, document: WorkflowDocument) -> bytes:
        """The JSON that the start node hands to the first jobs."""
        waiting = record.frontier
        if waiting and _starts_elsewhere(record.work_order, waiting[0]):
            return self.of_run(record, waiting[0], document)
        return self._of_work_order(record.work_order, document, 0)

    def of_run(self, record: AttemptRecord, run: Run, document: WorkflowDocument) -> bytes:
        """The JSON that one Run gets: what was stored as its input, else what its work order is about."""
        return self._of_run(record.work_order, run, document, 0)

    def _of_run(self, order: WorkOrder, run: Run, document: WorkflowDocument | None, depth: int) -> bytes:
        if not _starts_elsewhere(order, run):
            return self._of_work_order(order, document, depth)
        if run.cause is Cause.FAILURE and run.parent_run_id is not None:
            lost = read_run(self._connection, run.parent_run_id)
            if lost.exit_reason is ExitReason.LOST and lost.input_dataclip_id == run.input_dataclip_id:
                return self._after_failure(self._input(run), lost)
        return self._input(run)

    def _of_work_order(self, order: WorkOrder, document: WorkflowDocument | None, depth: int) -> bytes:
        failed = self._failed_source(order)
        if failed is None:
            return self._given(order.message_id, order.message_version, order.dataclip_id)
        if _failure_input(order, document) != "at_error" or not _left_a_state(order, failed):
            return self._after_failure(self._initial_of(failed, depth), failed)
        return self._after_failure(self._given(order.message_id, order.message_version, order.dataclip_id), failed)

    def _failed_source(self, order: WorkOrder) -> Run | None:
        """The failed Run that started this work order by a failure trigger, also when somebody does it again."""
        if order.parent_run_id is None or order.cause is Cause.SUCCESS:
            return None
        source = read_run(self._connection, order.parent_run_id)
        return source if order.cause is Cause.FAILURE or source.exit_reason is not ExitReason.SUCCESS else None

    def _initial_of(self, run: Run, depth: int) -> bytes:
        """What a Run of another Attempt began with."""
        if depth >= _DEEPEST:
            return self._input(run)
        return self._of_run(read_attempt(self._connection, run.attempt_id).work_order, run, None, depth + 1)

    def _after_failure(self, state: bytes, failed: Run) -> bytes:
        """The state with the log of the failed Run as ``error``, and its error in ``errors`` by the job's id."""
        found = orjson.loads(state)
        base: dict[str, object] = found if isinstance(found, dict) else {"data": found}
        base.pop("configuration", None)
        before = base.get("errors")
        errors: dict[str, object] = dict(before) if isinstance(before, Mapping) else {}
        error = _error_of(failed)
        errors.setdefault(str(failed.job_id), error)
        log = text_of_run(self._connection, failed)
        return orjson.dumps({**base, "error": log or error["message"], "errors": errors})

    def _input(self, run: Run) -> bytes:
        return self._given(run.message_id, run.message_version, run.input_dataclip_id)

    def _given(self, message_id: Id | None, version: int | None, dataclip_id: Id | None) -> bytes:
        if dataclip_id is not None:
            return read_dataclip(self._connection, self._payloads, dataclip_id)
        if message_id is None:
            return b"{}"
        message, body = read_message_body(self._connection, self._payloads, message_id, version or 1)
        request = b',"request":' + message.request if message.request else b""
        return b'{"data":' + body + request + b"}"


def _starts_elsewhere(order: WorkOrder, run: Run) -> bool:
    """Whether a Run does not begin with what its work order is about: it follows another, or somebody gave it an input of its own."""
    asked = (order.parent_run_id, order.dataclip_id, order.message_id, order.message_version)
    return asked != (run.parent_run_id, run.input_dataclip_id, run.message_id, run.message_version)


def _failure_input(order: WorkOrder, document: WorkflowDocument | None) -> str | None:
    trigger = document.trigger(order.trigger_id) if document and order.trigger_id else None
    return trigger.failure_input if trigger else None


def _left_a_state(order: WorkOrder, failed: Run) -> bool:
    """Whether the failed Run told its state at the error. One that was killed did not, whatever stands in its place."""
    return order.dataclip_id is not None and failed.exit_reason in _KEEPS_STATE


def _error_of(failed: Run) -> dict[str, object]:
    try:
        told = orjson.loads(failed.error or b"null")
    except orjson.JSONDecodeError:
        told = None
    known = told if isinstance(told, dict) else {}
    reason = (failed.exit_reason or ExitReason.EXCEPTION).name.lower()
    return {
        "source": "runtime",
        **known,
        "name": known.get("name") or failed.error_type or "UnknownReason",
        "severity": known.get("severity") or reason,
        "message": known.get("message") or failed.error_type or reason,
    }
