"""Keeps the record of an Attempt on the server while it runs: every start and every end, with what follows (server-and-data §4.2)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

from kivuko import __version__
from kivuko.engines import RunError
from kivuko.errors import ServerRefused
from kivuko.runtime import EndedVisit, Follow, Visit
from kivuko.runtime.logs import LogRecord
from kivuko.worker.channel import Channel
from kivuko.worker.link import Reply
from kivuko.worker.logbook import LogBook
from kivuko.worker.plan import Assignment, JobTraits
from kivuko.worker.reports import follow_row, new_wire_id, run_row, timestamp, webhook_response
from kivuko.workflow import Job

__all__ = ["WireRecorder"]

Wait = Callable[[int], bool]


class WireRecorder:
    """``kivuko.runtime.Recorder`` over a channel. A ticket is the server's id of a Run.

    ``on_begin`` is called before the Attempt's start is reported: until then it can be handed back. ``wait`` is how one waits here.
    ``ends`` says that the server takes the end of the Attempt together with that of its last Run; then it also takes the first start of
    a Run for the start of the Attempt.
    """

    def __init__(
        self,
        channel: Channel,
        assignment: Assignment,
        traits: JobTraits,
        book: LogBook,
        on_begin: Callable[[], None],
        wait: Wait,
        *,
        ends: bool,
    ) -> None:
        self.webhook_response: object = None
        self._channel = channel
        self._assignment = assignment
        self._traits = traits
        self._book = book
        self._on_begin: Callable[[], None] | None = on_begin
        self.wait = wait
        self._ends = ends
        self._begun: Future[Reply] | None = None
        self._last: dict[str, object] | None = None
        self._inputs: dict[str, str | None] = {}
        self._outputs: list[tuple[bytes, str | None]] = []

    def reached(self, first: Sequence[Follow]) -> Sequence[str]:
        """The first jobs. Runs that wait already are known without asking."""
        waiting = [run.id for follow in first for run in self._assignment.queued if run.job_id == follow.node.id]
        known = len(waiting) == len(first)
        self._begin(first, needed=not known)
        return waiting if known or self._begun is None else _ids(accepted(self._begun))

    def _begin(self, first: Sequence[Follow] = (), *, needed: bool = False) -> None:
        """Reports the Attempt's start, where no Run's start tells it as well."""
        if self._on_begin is not None:
            self._on_begin()
            self._on_begin = None
            if needed or not self._ends:
                rows = [{"job_id": follow.node.id} for follow in first]
                payload = {"timestamp": timestamp(), "versions": {"worker": __version__, "kivuko": __version__}, "next": rows}
                self._begun = self._channel.send("run:start", payload)

    def starting(self, visit: Visit) -> None:
        """Reports the start of a Run and waits until it is kept."""
        assert visit.run is not None
        self._begin()
        self._book.name(visit.run, visit.ticket)
        job = visit.node
        payload: dict[str, object] = {"step_id": visit.ticket, "job_id": job.id, "timestamp": timestamp()}
        if isinstance(job, Job):
            payload |= {"adaptor": job.adaptors[0] if job.adaptors else None, "credential_id": _credential_id(job)}
        if (given := self._inputs.pop(visit.ticket, None)) is not None:
            payload["input_dataclip_id"] = given
        started = self._channel.send("step:start", payload)
        if self._begun is not None:
            accepted(self._begun)
        accepted(started)

    def ended(self, visit: EndedVisit) -> Sequence[str]:
        """Reports the end of a Run with what follows it."""
        clip_id = self._keep_output(visit)
        rows = [follow_row(follow, clip_id) for follow in visit.follows]
        payload = run_row(visit, clip_id, next_rows=rows, sends_output=self._sends(visit.state), withheld=self._is_too_large(visit.state))
        if visit.state is not None and (told := webhook_response(visit.state)) is not None:
            self.webhook_response = payload["webhook_response"] = told
        if visit.last and self._ends:
            self._last = payload  # goes out with the end of the Attempt, and the log before that
            return ()
        self._book.flush()
        ids = _ids(accepted(self._channel.send("step:complete", payload)))
        self._inputs.update({run_id: _text(row.get("input_dataclip_id")) for run_id, row in zip(ids, rows, strict=False)})
        return ids

    def finish(self, row: Mapping[str, object]) -> None:
        """Reports the end of the Attempt, together with that of its last Run where that has not been told."""
        if self._last is not None:
            accepted(self._channel.send("step:complete", {**self._last, "end": row}))
        else:
            accepted(self._channel.send("run:complete", row))

    def retry_in_ms(self, job: Job, error: RunError, tries: int) -> int | None:
        """By the job's policy."""
        policy = self._traits.retries.get(job.id)
        return policy.delay_ms(error, tries) if policy else None

    def log_of(self, run: int) -> str:
        """From the log book."""
        return self._book.text_of(run)

    def clip_of(self, leaf: bytes) -> str | None:
        """Under which id the output is stored that a final state is; None when it is not."""
        return next((clip_id for state, clip_id in reversed(self._outputs) if state is leaf), None)

    def _keep_output(self, visit: EndedVisit) -> str | None:
        if visit.state is None:
            return None
        clip_id = None if self._is_too_large(visit.state) else new_wire_id()
        if clip_id is None:
            self._warn(visit, len(visit.state))
        if not visit.follows:
            self._outputs.append((visit.state, clip_id))
        return clip_id

    def _warn(self, visit: EndedVisit, size: int) -> None:
        limit = self._assignment.payload_bytes / 1048576
        text = (
            f"The output of {visit.job.title} has {size / 1048576:.1f} MB, more than the {limit:g} MB that are stored: it is not kept. "
            "What follows gets all of it"
        )
        self._book.take(LogRecord("warn", "R/T", (text,), time.time_ns(), job_id=visit.job.id, run=visit.run))

    def _is_too_large(self, state: bytes | None) -> bool:
        return state is not None and len(state) > self._assignment.payload_bytes

    def _sends(self, state: bytes | None) -> bool:
        return self._assignment.keeps_outputs and not self._is_too_large(state)


def accepted(answer: Future[Reply]) -> Mapping[str, object]:
    """The response of a report that was taken. Raises AttemptGone, or ServerRefused for another refusal."""
    reply = answer.result()
    if not reply.ok:
        raise ServerRefused(f"The server did not take a report: {reply.response}")
    return reply.response if isinstance(reply.response, Mapping) else {}


def _ids(response: Mapping[str, object]) -> list[str]:
    found = response.get("run_ids")
    return [str(run_id) for run_id in found] if isinstance(found, list | tuple) else []


def _credential_id(job: Job) -> str | None:
    return job.configuration if isinstance(job.configuration, str) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
