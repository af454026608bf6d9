"""The Runs of an Attempt: one step after another, with their log lines, events and records."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from kivuko.engines.run import LogLine, RunError, RunRequest, RunResult
from kivuko.errors import AdaptorProblem, EngineClosed, EngineError, NodeMissing
from kivuko.runtime.conditions import decided_here
from kivuko.runtime.context import AttemptContext
from kivuko.runtime.cutting import cut
from kivuko.runtime.events import Event, InitCompleted, InitStarted, JobCompleted, JobFailed, JobStarted, Memory
from kivuko.runtime.faults import adaptor_fault, advised, attempt_timeout, edge_fault, engine_fault
from kivuko.runtime.hosts import run_limits, step_timeout_ms
from kivuko.runtime.logs import LogRecord, report_error
from kivuko.runtime.requests import job_request, trigger_request
from kivuko.runtime.result import RunRecord
from kivuko.runtime.unknown_names import with_advice
from kivuko.runtime.visits import Visit
from kivuko.value import replace, value
from kivuko.workflow import Edge, Job, Node

__all__ = ["Runs", "StepOutcome"]

_CANCELLED = "Cancelled"


@value
class StepOutcome:
    """What came of a step: its output, the targets that follow, and the error that ends the Attempt, if any.

    ``may_be_rescued`` says that failure edges are followed after that error, ``spares_others`` that other paths go on. ``record`` is that
    of a job that has ended. With ``retry_in_ms`` the job has not ended: it is tried again.
    """

    state: bytes | None = None
    followed: tuple[str, ...] = ()
    fatal: RunError | None = None
    may_be_rescued: bool = False
    spares_others: bool = False
    record: RunRecord | None = None
    retry_in_ms: int | None = None


class Runs:
    """Executes the steps of an Attempt. ``records`` grows by one with each Run of a job that has ended; ``steps`` counts triggers too.

    ``begun`` counts the Runs that have begun.
    """

    def __init__(self, context: AttemptContext) -> None:
        self._context = context
        self.records: list[RunRecord] = []
        self.steps = 0
        self.begun = 0

    def runs_in_a_host(self, node: Node) -> bool:
        """Whether a step is a job, and not one without expression, through which the state passes as through a trigger."""
        return isinstance(node, Job) and bool(node.expression)

    def step(self, visit: Visit, *, last: bool) -> StepOutcome:
        """Executes a job, or lets the state pass through a trigger. ``last``: nothing else waits."""
        self.steps += 1
        if isinstance(visit.node, Job) and visit.node.expression:
            return self._run_job(visit, visit.node, last)
        return self._pass_trigger(visit.node, visit.state)

    def _timeout_ms(self, job_id: str) -> int | None:
        return step_timeout_ms(self._context.settings, self._context.program.plan.options.timeout_ms, job_id)

    def _pass_trigger(self, node: Node, state: bytes | None) -> StepOutcome:
        followed = decided_here(node, state)
        if followed is not None:
            return StepOutcome(state, followed)
        result = self._ask(lambda timeout_ms: trigger_request(self._context, node, state, timeout_ms), node.id, None)
        if result.error is not None:
            report_error(self._context.journal, result.error, node.id, node.title)
            return StepOutcome(fatal=result.error)
        if result.edge_error is not None:
            return self._edge_threw(node, result.edge_error)
        targets = self._followed(node, result)
        return StepOutcome(result.state if targets else state, targets)

    def _run_job(self, visit: Visit, job: Job, last: bool) -> StepOutcome:
        context, state, number = self._context, visit.state, visit.run
        assert number is not None
        journal, clock = context.journal, context.settings.clock
        journal.job_id, journal.run = job.id, number
        started_ns, begun_ns = clock.now_ns(), clock.monotonic_ns()
        self._tell(InitStarted(job.id, number))
        prepared = context.program.jobs[job.id]
        journal.starting(job.title, self._timeout_ms(job.id))
        self._tell(InitCompleted(job.id, number, (clock.monotonic_ns() - begun_ns) / 1e6))
        self._tell(JobStarted(job.id, number, b"{}" if state is None else state))
        if prepared.fault is not None:
            result = RunResult(None, context.configurations.scrubber.error(prepared.fault))
        else:
            result = self._ask(lambda timeout_ms: job_request(context, prepared, state, timeout_ms, last=last), job.id, number)
        if result.error is not None:
            result = _with_error(result, with_advice(result.error, prepared.names))
            if job.source_map is not None:
                in_source = import_module("kivuko.runtime.compiled_elsewhere").in_source  # few plans have maps
                result = in_source(result, job, context.configurations.scrubber.error)
        followed = self._followed(job, result)
        retry_in_ms = self._retry_in_ms(job, result, visit.tries + 1)
        self._log(job, result, followed)
        if retry_in_ms is not None:
            journal.retrying(job.title, visit.tries + 2, retry_in_ms)
            journal.job_id = journal.run = None
            return StepOutcome(retry_in_ms=retry_in_ms)
        record = self._record(job, state, result, followed, (started_ns, clock.now_ns()))
        self.records.append(record)
        outcome = self._outcome(job, result, record, spares_others=prepared.fault is not None and prepared.fault.name == "CompileError")
        self._tell(self._end_event(job, number, result, followed, (clock.monotonic_ns() - begun_ns) / 1e6))
        journal.job_id = journal.run = None
        return outcome

    def _retry_in_ms(self, job: Job, result: RunResult, tries: int) -> int | None:
        recorder = self._context.outside.recorder
        return recorder.retry_in_ms(job, result.error, tries) if recorder is not None and result.error is not None else None

    def _ask(self, request: Callable[[int | None], RunRequest], job_id: str, run: int | None) -> RunResult:
        """Has a host execute a request, within the time of the Attempt; what fails is in the result, without secrets."""
        context = self._context
        timeout_ms, by_attempt = context.deadline.shorten(self._timeout_ms(job_id))
        if timeout_ms == 0:
            return RunResult(None, attempt_timeout(context.deadline.limit_ms or 0))
        try:
            result = context.engine.run(request(timeout_ms), on_log=self._log_taker(job_id, run), cancel=context.outside.cancel)
        except (NodeMissing, EngineClosed):
            raise
        except EngineError as problem:
            return RunResult(None, context.configurations.scrubber.error(engine_fault(problem)))
        except AdaptorProblem as problem:
            return RunResult(None, context.configurations.scrubber.error(adaptor_fault(problem)))
        if result.error is None:
            return result
        error = result.error
        if error.name == "TimeoutError":
            limit_ms = context.deadline.limit_ms if by_attempt else timeout_ms
            context.journal.timed_out(limit_ms or 0)
            error = attempt_timeout(limit_ms or 0) if by_attempt else error
        if not by_attempt or error.name != "TimeoutError":
            error = advised(error, run_limits(context.settings, timeout_ms, job_id))
        return _with_error(result, context.configurations.scrubber.error(error))

    def _log_taker(self, job_id: str, run: int | None) -> Callable[[LogLine], None]:
        sink, scrubber, most_bytes = self._context.sink, self._context.configurations.scrubber, self._context.settings.log_message_bytes

        def take(line: LogLine) -> None:
            sink(LogRecord.of_line(cut(scrubber.line(line), most_bytes), job_id, run))

        return take

    def _followed(self, node: Node, result: RunResult) -> tuple[str, ...]:
        if result.edge_error is not None or (result.error is not None and result.error.severity != "fail"):
            return ()
        return tuple(edge.target for edge in node.edges if edge.may_be_followed and result.followed.get(edge.target))

    def _outcome(self, job: Job, result: RunResult, record: RunRecord, *, spares_others: bool) -> StepOutcome:
        if result.error is not None and result.error.severity != "fail":
            rescued = result.error.name != _CANCELLED
            return StepOutcome(result.state, fatal=result.error, may_be_rescued=rescued, spares_others=spares_others, record=record)
        if result.edge_error is not None:
            return replace(self._edge_threw(job, result.edge_error), state=result.state, record=record)
        return StepOutcome(result.state, record.followed, record=record)

    def _edge_threw(self, node: Node, failure: tuple[str, str]) -> StepOutcome:
        target, message = failure
        condition = next((str(edge.condition) for edge in node.edges if edge.target == target), "")
        fault = self._context.configurations.scrubber.error(edge_fault(node.id, target, message, condition))
        self._context.journal.edge_failed(fault.message, fault.fix)
        return StepOutcome(fatal=fault)

    def _log(self, job: Job, result: RunResult, followed: tuple[str, ...]) -> None:
        journal = self._context.journal
        if result.error is not None:
            journal.aborted(job.title, result.duration_ms)
            report_error(journal, result.error, job.id, job.title)
        else:
            journal.completed(job.title, result.duration_ms)
            journal.cleaned(self._context.settings.remove_keys)
            journal.memory(result.heap_bytes, result.rss_bytes)
            if result.state is None and followed:
                journal.stateless(job.title)
        for edge in _conditional(job):
            if edge.target in result.followed:
                journal.edge(edge.target, edge.target in followed)

    def _record(self, job: Job, state: bytes | None, result: RunResult, followed: tuple[str, ...], times_ns: tuple[int, int]) -> RunRecord:
        keep = self._context.settings.keep_states
        return RunRecord(
            job_id=job.id,
            job_name=job.title,
            started_ns=times_ns[0],
            finished_ns=times_ns[1],
            duration_ms=result.duration_ms,
            error=result.error,
            followed=followed,
            heap_bytes=result.heap_bytes,
            rss_bytes=result.rss_bytes,
            logs_dropped=result.logs_dropped,
            input=state if keep else None,
            output=result.state if keep else None,
        )

    def _end_event(self, job: Job, number: int, result: RunResult, followed: tuple[str, ...], duration_ms: float) -> Event:
        if result.error is not None:
            return JobFailed(job.id, number, result.duration_ms, result.error, result.state, followed)
        return JobCompleted(job.id, number, duration_ms, result.state, followed, Memory(result.heap_bytes, result.rss_bytes))

    def _tell(self, event: Event) -> None:
        if self._context.outside.on_event is not None:
            self._context.outside.on_event(event)


def _conditional(job: Job) -> list[Edge]:
    return [edge for edge in job.edges if isinstance(edge.condition, str) and not edge.disabled]


def _with_error(result: RunResult, error: RunError) -> RunResult:
    return RunResult(
        result.state,
        error,
        result.followed,
        result.edge_error,
        result.duration_ms,
        result.heap_bytes,
        result.rss_bytes,
        result.logs_dropped,
    )
