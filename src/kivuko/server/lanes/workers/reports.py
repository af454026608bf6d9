"""Where the wire's words become ours: run is Attempt, step is Run (worker-protocol §1). Payloads in, intents of the records out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from kivuko.errors import InputError
from kivuko.platform.workflows.document import JobDocument, WorkflowDocument
from kivuko.records import (
    AttemptRecord,
    Cause,
    Dataclip,
    DataclipKind,
    EndAttempt,
    EndRun,
    Follow,
    Id,
    Line,
    Park,
    Payloads,
    StartAttempt,
    StartRun,
    WriteLogs,
    new_id,
)
from kivuko.server.lanes.workers.payloads import (
    Payload,
    body_of,
    id_of,
    json_of,
    level_of,
    message_of,
    number_of,
    reason_of,
    rows_of,
    text_of,
    time_of,
)

__all__ = ["Reporting", "clip_id_of"]

_CAUSES = {"success": Cause.SUCCESS, "failure": Cause.FAILURE, "edge": Cause.EDGE}


@dataclass
class Reporting:
    """Makes intents of what one worker reports about one Attempt.

    ``keeps`` says whether the output of a job (None: the final state) is stored; ``scrub`` takes secrets out of a text.
    ``earlier`` are outputs that were there before, by our ids as text; ``runs`` are our ids by the worker's step ids.
    """

    record: AttemptRecord
    claim_number: int
    document: WorkflowDocument
    payloads: Payloads
    foreign: bool
    keeps: Callable[[Id | None], bool]
    scrub: Callable[[str], str]
    earlier: Mapping[str, Id] = field(default_factory=dict)
    runs: dict[str, Id] = field(default_factory=dict)
    withheld: bool = False

    def __post_init__(self) -> None:
        self.runs.update({run.wire_id or str(run.id): run.id for run in self.record.runs})
        self._jobs: Mapping[Id, JobDocument] = {job.id: job for job in self.document.jobs}

    @property
    def attempt_id(self) -> Id:
        """The Attempt's id."""
        return self.record.attempt.id

    def started(self, payload: Payload) -> StartAttempt:
        """``run:start``."""
        order = self.record.work_order
        next_ = tuple(
            Follow(self._run_id(row), self._job(row).id, _cause(row, order.cause), input_dataclip_id=order.dataclip_id)
            for row in rows_of(payload, "next")
        )
        return StartAttempt(self.attempt_id, self.claim_number, next_)

    def run_started(self, payload: Payload) -> StartRun:
        """``step:start``. Raises InputError for ids that are none, and a job that the workflow does not have."""
        step, job = text_of(payload, "step_id") or "", self._job(payload)
        given = text_of(payload, "input_dataclip_id")
        return StartRun(
            self.attempt_id,
            self.claim_number,
            self._step(payload),
            job.id,
            wire_id=step if self.foreign else None,
            input_wire_id=given if given != clip_id_of(self.record) else None,
            credential_id=job.credential_id,
            adaptor=text_of(payload, "adaptor") or job.adaptor,
        )

    def run_ended(self, payload: Payload, executed_ms: int = 0) -> EndRun:
        """``step:complete``; in ``end`` Kivuko's worker tells the Attempt's, where this was its last Run.

        Raises InputError for ids that are none, and a job that the workflow does not have.
        """
        step, job_id = text_of(payload, "step_id") or "", self._job(payload).id
        reason, error_type = reason_of(payload)
        self.withheld = text_of(payload, "output_dataclip_error") is not None
        memory, end = payload.get("mem"), payload.get("end")
        return EndRun(
            self.attempt_id,
            self.claim_number,
            self._step(payload),
            job_id,
            reason,
            wire_id=step if self.foreign else None,
            error_type=error_type,
            error=self._error(payload, error_type),
            output=self._output(payload, job_id),
            next=tuple(self._follow(row) for row in rows_of(payload, "next")),
            memory_bytes=number_of(memory, "job") if isinstance(memory, Mapping) else None,
            tries=number_of(payload, "tries"),
            reported_at=time_of(payload),
            webhook_response=json_of(payload, "webhook_response"),
            ends=self.ended(end, executed_ms) if isinstance(end, Mapping) and not self.foreign else None,
        )

    def ended(self, payload: Payload, executed_ms: int) -> EndAttempt:
        """``run:complete``. ``executed_ms`` counts where the worker does not."""
        reason, error_type = reason_of(payload)
        final_wire_id = text_of(payload, "final_dataclip_id")
        final = None
        # With one leaf its output is the final state. One that was too large is not saved: the next run inherits the last saved.
        if final_wire_id is None and not self.withheld and self.keeps(None):
            body = json_of(payload, "final_state")
            final = self._clip(DataclipKind.FINAL_STATE, body) if body is not None else None
        told = number_of(payload, "executed_ms")
        return EndAttempt(
            self.attempt_id,
            self.claim_number,
            reason,
            error_type,
            self._error(payload, error_type),
            final=final,
            final_dataclip_id=self.earlier.get(final_wire_id or ""),
            final_wire_id=final_wire_id,
            executed_ms=executed_ms if told is None else told,
            webhook_response=json_of(payload, "webhook_response"),
        )

    def parked(self, payload: Payload) -> Park:
        """``run:parked``."""
        return Park(
            self.attempt_id, self.claim_number, number_of(payload, "available_at") or 0, executed_ms=number_of(payload, "executed_ms") or 0
        )

    def logged(self, rows: Sequence[Payload], now_us: int) -> list[WriteLogs]:
        """``run:log`` and ``run:batch_logs``: one intent, or one for each row of numbers without a gap."""
        batches: list[WriteLogs] = []
        lines: list[Line] = []
        first = last = None
        for row in rows:
            seq = None if self.foreign else number_of(row, "seq")
            if lines and seq is not None and last is not None and seq != last + 1:
                batches.append(WriteLogs(self.attempt_id, self.claim_number, tuple(lines), first))
                lines = []
            if not lines:
                first = seq
            lines.append(self._line(row, now_us))
            last = seq
        if lines:
            batches.append(WriteLogs(self.attempt_id, self.claim_number, tuple(lines), first))
        return batches

    def _line(self, row: Payload, now_us: int) -> Line:
        at_us = time_of(row)
        return Line(
            self.scrub(message_of(row)),
            now_us if at_us is None else at_us,
            level_of(row),
            text_of(row, "source") or "JOB",
            # A step that nobody has announced: the line is the Attempt's (R3).
            self.runs.get(text_of(row, "step_id") or ""),
        )

    def _job(self, payload: Payload) -> JobDocument:
        job = self._jobs.get(id_of(payload, "job_id"))
        if job is None:
            raise InputError(f"job {payload.get('job_id')} does not exist in this workflow")
        return job

    def _run_id(self, row: Payload) -> Id:
        return id_of(row, "run_id") if row.get("run_id") else new_id()

    def _step(self, payload: Payload) -> Id:
        """Our id of a Run: a foreign worker invents its own, and the records adopt one that waits."""
        known = self.runs.get(text_of(payload, "step_id") or "")
        return known or (new_id() if self.foreign else id_of(payload, "step_id"))

    def _follow(self, row: Payload) -> Follow:
        body = body_of(row, "input_dataclip")
        clip = self._clip(DataclipKind.EDGE_INPUT, body) if body is not None else None
        wire_id = text_of(row, "input_dataclip_id") if clip is None else None
        return Follow(self._run_id(row), self._job(row).id, _cause(row, Cause.EDGE), input_wire_id=wire_id, input=clip)

    def _output(self, payload: Payload, job_id: Id) -> Dataclip | None:
        wire_id, body = text_of(payload, "output_dataclip_id"), body_of(payload, "output_dataclip")
        if body is None:
            return None
        needed = wire_id is not None and any(row.get("input_dataclip_id") == wire_id for row in rows_of(payload, "next"))
        if not needed and not self.keeps(job_id):
            return None
        return self._clip(DataclipKind.RUN_OUTPUT, body, wire_id)

    def _clip(self, kind: DataclipKind, body: bytes, wire_id: str | None = None) -> Dataclip:
        clip_id = new_id()
        stored = self.payloads.store(clip_id, body)
        project_id, attempt_id = self.record.attempt.project_id, self.attempt_id
        return Dataclip(clip_id, project_id, kind, attempt_id, wire_id, stored.encoding, stored.body, stored.object_key, stored.size_bytes)

    def _error(self, payload: Payload, error_type: str | None) -> bytes | None:
        told = payload.get("error")
        if not isinstance(told, Mapping):
            if error_type is None:
                return None
            told = {"name": error_type, "message": text_of(payload, "error_message")}
        return orjson.dumps({key: self.scrub(value) if isinstance(value, str) else value for key, value in told.items()})


def clip_id_of(record: AttemptRecord) -> str:
    """What the plan calls the Attempt's input."""
    order = record.work_order
    return str(order.dataclip_id or order.message_id or order.id)


def _cause(row: Payload, otherwise: Cause) -> Cause:
    return _CAUSES.get(text_of(row, "cause") or "", otherwise)
