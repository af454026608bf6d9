"""One claimed Attempt, from its claim to its end: its plan, its input, its execution, its reports."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from kivuko.engines import Cancel
from kivuko.errors import AdaptorProblem, AttemptGone, EngineClosed, InputError, KivukoError, LinkError, PlanError
from kivuko.runtime import AttemptResult, AttemptSettings, Outside, RunEngine, Visit, execute
from kivuko.runtime.logs import LogRecord
from kivuko.value import replace
from kivuko.worker.channel import Channel, refusal
from kivuko.worker.ending import end_row
from kivuko.worker.link import Link
from kivuko.worker.logbook import LogBook
from kivuko.worker.plan import Assignment, read_assignment
from kivuko.worker.programs import Prepared, Programs
from kivuko.worker.recording import WireRecorder, accepted
from kivuko.worker.reports import CANCELLED
from kivuko.worker.settings import LONGEST_WAIT_MS, WorkerSettings

__all__ = ["Abilities", "ClaimedAttempt", "Execution", "Tools"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ClaimedAttempt:
    """What a claim gives."""

    id: str
    token: str
    snapshot_id: str = ""
    claim_number: int = 0


@dataclass
class Abilities:
    """What the server can do, as it says when the queue is joined. ``ends``: take the end of an Attempt with that of its last Run."""

    ends: bool = False


@dataclass(frozen=True)
class Tools:
    """What all Attempts of a worker are executed with."""

    settings: WorkerSettings
    link: Link
    engine: RunEngine
    programs: Programs
    abilities: Abilities


class Execution:
    """Executes one Attempt, on the thread that calls ``run``. The other methods may be called from any thread.

    ``confirmed_at`` is when its lease was renewed last (monotonic); ``ending``: its end is being reported, so that the server may know of
    it before we know that it does.
    """

    def __init__(self, claimed: ClaimedAttempt, tools: Tools) -> None:
        self.claimed = claimed
        self.confirmed_at = time.monotonic()
        self.abandoned = False
        self.ending = False
        self._tools = tools
        self._cancel = Cancel()
        self._interrupted = threading.Event()
        self._draining = False
        self._lock = threading.Lock()
        self._begun = False
        self._over = False
        self._book: LogBook | None = None
        self._started_at = time.monotonic()
        self._channel = Channel(tools.link, claimed.id, claimed.token, self.stop)

    def run(self) -> None:
        """Does everything. What goes wrong is reported, or, when the Attempt is no longer ours, of no account."""
        try:
            self._run()
        except (AttemptGone, EngineClosed) as problem:
            _log.info("an attempt is left", attempt=self.claimed.id, reason=problem.message)
        except Exception as problem:  # noqa: BLE001 - the boundary of one Attempt: the worker goes on with others
            _log.exception("an attempt could not be executed", attempt=self.claimed.id)
            self._report_failure("ExecutionError", "exception", f"{type(problem).__name__}: {problem}")
        finally:
            self._end()

    # What others do to it

    def cancel(self) -> None:
        """Somebody cancelled the Attempt: its host is killed, and its end reported."""
        self._cancel.cancel()
        self._interrupted.set()

    def abandon(self) -> None:
        """The lease could not be renewed: everything stops at once, nothing more is said, until ``run:abandoned`` can be."""
        self.abandoned = True
        self.stop()
        self._channel.close(leave=False)

    def stop(self) -> None:
        """Kills its host, and lets nothing be said of that. Waits for nobody."""
        self._channel.silence()
        self._cancel.release()
        self._cancel.cancel()
        self._interrupted.set()

    def drain(self, on_handed_back: Callable[[], None]) -> None:
        """Hands the Attempt back if it has not begun, and says when the server knows; else it waits for no retry any more."""
        with self._lock:
            self._draining = True
            handed_back = not self._begun and not self._over
            self._over = self._over or handed_back
        if handed_back:

            def told(_: object) -> None:
                self._channel.close()
                on_handed_back()

            self._channel.send("run:hand_back", {}).add_done_callback(told)
        self._interrupted.set()

    def connected(self, up: bool) -> None:
        """The connection went, or is back."""
        self._channel.connected(up)

    def tick(self) -> None:
        """Sends what waits to be sent."""
        if self._book is not None:
            self._book.flush()
        self._channel.repeat()

    def gone(self) -> None:
        """The server says that the Attempt is not ours any more."""
        self.stop()
        self._channel.close()

    # What it does

    def _run(self) -> None:
        channel, settings = self._channel, self._tools.settings
        joined, planned = channel.join(), channel.send("fetch:plan", {})
        first_seq = accepted(joined).get("first_seq")
        plan = accepted(planned)
        assignment = read_assignment(
            plan, timeout_ms=round(settings.timeout_s * 1000), memory_mb=settings.memory_mb, payload_mb=settings.payload_mb
        )
        book = self._open_book(first_seq if isinstance(first_seq, int) else 1, assignment)
        attempt = self._attempt_settings(assignment)
        try:
            prepared = self._tools.programs.get(self.claimed.snapshot_id, plan, attempt, self._sayer(book))
        except AdaptorProblem as problem:
            self._report_failure("AutoinstallError", "exception", problem.message)
            return
        except (PlanError, InputError) as problem:
            self._report_failure("ValidationError", "crash", problem.message)
            return
        book.keeps_tails = prepared.traits.for_failures
        self._execute(prepared, assignment, replace(attempt, jobs=prepared.traits.limits), book)

    def _execute(self, prepared: Prepared, assignment: Assignment, settings: AttemptSettings, book: LogBook) -> None:
        ends = self._tools.abilities.ends
        recorder = WireRecorder(self._channel, assignment, prepared.traits, book, self._begin, self._wait, ends=ends)
        program = prepared.starting_at(assignment.start)
        try:
            state, frontier = self._inputs(assignment, prepared)
        except _InputMissing as problem:
            self._report_failure("DataClipError", "exception", str(problem))
            return
        outside = Outside(credentials=self._credential, on_log=book.take, cancel=self._cancel, recorder=recorder)
        self._started_at = time.monotonic()
        try:
            result = execute(program, state, self._tools.engine, settings=settings, outside=outside, frontier=frontier)
        except LinkError:
            raise
        except EngineClosed:
            if not self.abandoned:
                self.abandon()
            raise
        except KivukoError as problem:
            self._report_failure("ExecutionError", "exception", problem.message)
            return
        self._report(result, recorder, assignment, book)

    def _report(self, result: AttemptResult, recorder: WireRecorder, assignment: Assignment, book: LogBook) -> None:
        executed_ms = self._executed_ms()
        self.ending = True
        book.flush()
        if result.parked_ms is not None and not self._cancel.asked:
            available_at = time.time_ns() // 1000 + result.parked_ms * 1000
            accepted(self._channel.send("run:parked", {"available_at": available_at, "executed_ms": executed_ms}))
            return
        row = end_row(
            result,
            assignment.taken_over,
            executed_ms=executed_ms,
            clip_of=recorder.clip_of,
            body_of=self._body,
            most_bytes=assignment.payload_bytes,
        )
        if recorder.webhook_response is not None:
            row["webhook_response"] = recorder.webhook_response
        recorder.finish(row)

    def _body(self, clip_id: str) -> bytes | None:
        reply = self._channel.ask("fetch:dataclip", {"id": clip_id})
        return reply.response if reply.ok and isinstance(reply.response, bytes) else None

    def _report_failure(self, error_type: str, reason: str, message: str) -> None:
        """Ends an Attempt that did not come to an end by itself."""
        cancelled, self.ending = self._cancel.asked, True
        row: dict[str, object] = {
            "reason": "cancel" if cancelled else reason,
            "error_type": CANCELLED if cancelled else error_type,
            "error_message": message[:50_000],
            "executed_ms": self._executed_ms() if self._begun else 0,
        }
        try:
            if self._book is not None:
                self._book.take(LogRecord("error", "R/T", (f"{error_type}: {message}",), time.time_ns()))
                self._book.flush()
            accepted(self._channel.send("run:complete", row))
        except LinkError as problem:
            _log.info("the end of an attempt is not reported", attempt=self.claimed.id, reason=problem.message)

    def _begin(self) -> None:
        with self._lock:
            if self._over:
                raise AttemptGone
            self._begun = True

    def _end(self) -> None:
        with self._lock:
            self._over = True
        self._channel.close()

    def _wait(self, duration_ms: int) -> bool:
        if duration_ms > LONGEST_WAIT_MS or (self._draining and duration_ms):
            return False
        self._interrupted.wait(duration_ms / 1000)
        return self._cancel.asked or not self._draining

    def _executed_ms(self) -> int:
        return round((time.monotonic() - self._started_at) * 1000)

    # What it needs

    def _open_book(self, first_seq: int, assignment: Assignment) -> LogBook:
        channel, settings = self._channel, self._tools.settings
        self._book = LogBook(
            lambda payload: channel.send("run:batch_logs", payload),
            first_seq,
            self._cancel,
            batch_lines=settings.batch_lines,
            job_log_level=assignment.job_log_level,
        )
        return self._book

    def _attempt_settings(self, assignment: Assignment) -> AttemptSettings:
        settings = self._tools.settings
        return AttemptSettings(
            project=assignment.project_id,
            attempt=f"{self.claimed.id}/{self.claimed.claim_number}",
            timeout_ms=0,
            attempt_timeout_ms=assignment.remaining_ms,
            memory_mb=assignment.memory_mb,
            state_mb=assignment.memory_mb / 4,
            log_bytes=round(settings.log_mb * 1024 * 1024),
            log_message_bytes=settings.log_line_kb * 1024,
            remove_keys=settings.removed_keys,
            one_host=False,
            egress=settings.egress,
            isolation=settings.isolation,
        )

    def _inputs(self, assignment: Assignment, prepared: Prepared) -> tuple[bytes, list[Visit]]:
        if not assignment.frontier:
            return self._dataclip({}), []
        nodes = prepared.program.plan.workflow.by_id()
        visits = [
            Visit(nodes[run.job_id], self._dataclip({"run_id": run.id}), ticket=run.id, tries=run.tries)
            for run in assignment.frontier
            if run.job_id in nodes
        ]
        return b"{}", visits

    def _dataclip(self, payload: Mapping[str, object]) -> bytes:
        reply = self._channel.ask("fetch:dataclip", payload)
        if not reply.ok or not isinstance(reply.response, bytes):
            raise _InputMissing(f"Failed to load dataclip: [fetch:dataclip] {refusal(reply.response)}")
        return reply.response if reply.response != b"null" else b"{}"

    def _credential(self, identity: str) -> Mapping[str, object]:
        reply = self._channel.ask("fetch:credential", {"id": identity})
        if not reply.ok:
            raise InputError(f"[fetch:credential] {refusal(reply.response)}")
        return reply.response if isinstance(reply.response, Mapping) else {}

    def _sayer(self, book: LogBook) -> Callable[[str, str], None]:
        def say(level: str, text: str) -> None:
            book.take(LogRecord("warn" if level == "warn" else "info", "R/T", (text,), time.time_ns()))

        return say


class _InputMissing(Exception):
    """An input cannot be had."""
