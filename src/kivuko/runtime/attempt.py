"""One Attempt: a workflow walked from its start, or its frontier, to its leaves (jobs-and-runtime §2.4, engine.md §3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from kivuko.engines.run import RunError
from kivuko.runtime.context import AttemptContext, Outside, open_context
from kivuko.runtime.faults import report_of, too_many_runs
from kivuko.runtime.leaves import Leaves
from kivuko.runtime.passing import without_keys
from kivuko.runtime.ports import RunEngine
from kivuko.runtime.program import Program
from kivuko.runtime.reasons import attempt_reason
from kivuko.runtime.rescue import with_error
from kivuko.runtime.result import AttemptResult
from kivuko.runtime.runs import Runs, StepOutcome
from kivuko.runtime.settings import FAILURE_PATH_TIMEOUT_MS, AttemptSettings
from kivuko.runtime.visits import EndedVisit, Follow, Visit
from kivuko.value import replace
from kivuko.workflow import Edge, Job

__all__ = ["execute"]

_NS_PER_MS = 1_000_000


def execute(
    program: Program,
    state: bytes,
    engine: RunEngine,
    *,
    settings: AttemptSettings | None = None,
    outside: Outside | None = None,
    frontier: Sequence[Visit] = (),
) -> AttemptResult:
    """Executes a prepared plan on an initial state (JSON) and gives the end of it.

    With a ``frontier`` it goes on with those jobs instead of beginning at the start. What goes wrong in jobs is in the result. Raises
    NodeMissing and EngineClosed, which no Attempt can survive, and what the recorder raises.
    """
    context = open_context(program, state, engine, settings or AttemptSettings(), outside or Outside())
    try:
        return _Walk(context).result(state, frontier)
    finally:
        engine.end(context.settings.attempt)


class _Walk:
    """The queue of an Attempt: breadth first, one Run at a time, no joins. Jobs that are tried again come after all others."""

    def __init__(self, context: AttemptContext) -> None:
        self._context = context
        self._recorder = context.outside.recorder
        self._plan = context.program.plan
        self._nodes = self._plan.workflow.by_id()
        self._queue: deque[Visit] = deque()
        self._delayed: list[Visit] = []
        self._parked_ms: int | None = None
        self._leaves = Leaves()
        self._runs = Runs(context)
        self._ended_by: RunError | None = None
        self._rescued = False

    def result(self, state: bytes, frontier: Sequence[Visit]) -> AttemptResult:
        """Walks until nothing is left to do."""
        clock, journal = self._context.settings.clock, self._context.journal
        begun_ns = clock.monotonic_ns()
        journal.executing(self._plan.workflow.title or "workflow", self._plan.start)
        self._begin(state, frontier)
        while (visit := self._next()) is not None:
            self._step(visit)
        return self._finished((clock.monotonic_ns() - begun_ns) / 1e6)

    def _begin(self, state: bytes, frontier: Sequence[Visit]) -> None:
        start = self._nodes[self._plan.start]
        if self._context.configurations.fault is not None:
            self._refuse(self._context.configurations.fault)
        elif frontier:
            self._queue.extend(frontier)
        elif isinstance(start, Job):
            self._reach((Follow(start, state),))
        else:
            self._queue.append(Visit(start, state))

    def _reach(self, first: tuple[Follow, ...]) -> None:
        self._enqueue(first, self._recorder.reached(first) if self._recorder else None)

    def _enqueue(self, follows: tuple[Follow, ...], tickets: Sequence[str] | None) -> None:
        named = tickets or [""] * len(follows)
        self._queue.extend(Visit(follow.node, follow.state, ticket) for follow, ticket in zip(follows, named, strict=True))

    def _next(self) -> Visit | None:
        """What is executed next; None when nothing is, or the Attempt is parked until a job is tried again."""
        if self._queue:
            return self._queue.popleft()
        if not self._delayed or self._recorder is None:
            return None
        context, visit = self._context, min(self._delayed, key=lambda waiting: waiting.due_ns)
        begun_ns = context.settings.clock.monotonic_ns()
        wait_ms = max(0, -(-(visit.due_ns - begun_ns) // _NS_PER_MS))
        context.engine.end(context.settings.attempt)  # no host waits with us
        if not self._recorder.wait(wait_ms):
            self._parked_ms = wait_ms
            return None
        context.deadline.extend(context.settings.clock.monotonic_ns() - begun_ns)
        self._delayed.remove(visit)
        return visit

    def _step(self, visit: Visit) -> None:
        node, most_runs = visit.node, self._context.settings.most_runs
        if self._runs.steps >= most_runs:
            self._refuse(too_many_runs(node.title, most_runs))
            return
        if self._runs.runs_in_a_host(node):
            visit = self._started(visit)
        outcome = self._runs.step(visit, last=not self._queue and not self._delayed)
        if outcome.retry_in_ms is not None:
            due_ns = self._context.settings.clock.monotonic_ns() + outcome.retry_in_ms * _NS_PER_MS
            self._delayed.append(replace(visit, tries=visit.tries + 1, due_ns=due_ns))
            return
        follows = self._what_follows(visit, outcome)
        if outcome.record is None:
            self._reach(follows)
        else:
            self._enqueue(follows, self._tell_end(visit, outcome, follows))

    def _started(self, visit: Visit) -> Visit:
        if visit.run is not None:
            return visit
        visit = replace(visit, run=self._runs.begun)
        self._runs.begun += 1
        if self._recorder is not None:
            self._recorder.starting(visit)
        return visit

    def _tell_end(self, visit: Visit, outcome: StepOutcome, follows: tuple[Follow, ...]) -> Sequence[str] | None:
        if self._recorder is None:
            return None
        assert isinstance(visit.node, Job)
        assert outcome.record is not None
        assert visit.run is not None
        last = not follows and not self._queue and not self._delayed
        return self._recorder.ended(
            EndedVisit(visit.node, visit.ticket, visit.run, outcome.record, outcome.state, visit.tries + 1, follows, last)
        )

    def _what_follows(self, visit: Visit, outcome: StepOutcome) -> tuple[Follow, ...]:
        node = visit.node
        if outcome.fatal is not None:
            self._end(outcome.fatal, spares_others=outcome.spares_others)
            return self._rescue(visit, outcome.fatal) if outcome.may_be_rescued else ()
        if node.id == self._plan.options.end:
            self._queue.clear()
            self._delayed.clear()
        elif outcome.followed:
            followed = set(outcome.followed)
            return tuple(self._follow(visit, outcome, edge) for edge in node.edges if edge.target in followed and edge.may_be_followed)
        self._end_in(visit, outcome.state)
        return ()

    def _follow(self, visit: Visit, outcome: StepOutcome, edge: Edge) -> Follow:
        """What an edge hands on: the output, or for the failure of a job whose record is kept also what its log says (§3.4)."""
        target, error = self._nodes[edge.target], outcome.record.error if outcome.record else None
        if self._recorder is None or error is None or visit.run is None or not edge.is_for_failure:
            return Follow(target, outcome.state, edge)
        base = visit.state if edge.failure_input == "initial" else outcome.state
        return Follow(target, self._with_error(visit, base, error), edge, changed=True)

    def _with_error(self, visit: Visit, state: bytes | None, error: RunError) -> bytes:
        log = self._recorder.log_of(visit.run) if self._recorder and visit.run is not None else None
        return with_error(state, visit.node.id, report_of(error), removed=self._context.settings.remove_keys, log=log)

    def _end_in(self, visit: Visit, state: bytes | None) -> None:
        """Keeps a final state. Jobs gave up their credentials in the host; what ran nothing hands on what came in."""
        node = visit.node
        self._leaves.add(node.id, state if self._runs.runs_in_a_host(node) else without_keys(state, self._context.settings.remove_keys))

    def _refuse(self, fault: RunError) -> None:
        """Ends the Attempt where no step is to blame."""
        self._context.journal.write("error", fault.message)
        if fault.fix:
            self._context.journal.write("error", fault.fix)
        self._end(fault)

    def _end(self, fault: RunError, *, spares_others: bool = False) -> None:
        """The Attempt is over: what waits is dropped, what was reached does not count; the first reason stays."""
        self._ended_by = self._ended_by or fault
        if spares_others:
            return
        self._rescued = False
        self._queue.clear()
        self._delayed.clear()
        self._leaves.clear()

    def _rescue(self, visit: Visit, fault: RunError) -> tuple[Follow, ...]:
        """What is there for this very failure, with the input of the Run that ended and the error in it."""
        node, context = visit.node, self._context
        edges = [edge for edge in node.edges if edge.is_for_failure]
        if not edges or node.id == self._plan.options.end:
            return ()
        if context.deadline.is_over():
            context.deadline.allow(FAILURE_PATH_TIMEOUT_MS)
        merged = self._with_error(visit, visit.state, fault)
        for edge in edges:
            context.journal.rescuing(node.title, self._nodes[edge.target].title)
        self._rescued = True
        return tuple(Follow(self._nodes[edge.target], merged, edge, changed=True) for edge in edges)

    def _finished(self, duration_ms: float) -> AttemptResult:
        reason, error_type, message = attempt_reason(self._ended_by, self._runs.records, self._plan.workflow)
        return AttemptResult(
            state=self._leaves.joined(),
            reason=reason,
            error_type=error_type,
            error_message=message,
            error=self._ended_by,
            runs=tuple(self._runs.records),
            leaves=self._leaves.by_name(),
            has_output=self._ended_by is None or self._rescued,
            duration_ms=duration_ms,
            parked_ms=self._parked_ms,
        )
