"""One Attempt: a workflow walked from its start to its leaves (jobs-and-runtime §2.4, engine.md §3)."""

from __future__ import annotations

from collections import deque

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
from kivuko.runtime.runs import Runs
from kivuko.runtime.settings import FAILURE_PATH_TIMEOUT_MS, AttemptSettings
from kivuko.workflow import Job, Node

__all__ = ["execute"]


def execute(
    program: Program, state: bytes, engine: RunEngine, *, settings: AttemptSettings | None = None, outside: Outside | None = None
) -> AttemptResult:
    """Executes a prepared plan on an initial state (JSON) and gives the end of it.

    What goes wrong in jobs is in the result. Raises NodeMissing and EngineClosed, which no Attempt can survive.
    """
    context = open_context(program, state, engine, settings or AttemptSettings(), outside or Outside())
    try:
        return _Walk(context).result(state)
    finally:
        engine.end(context.settings.attempt)


class _Walk:
    """The queue of an Attempt: breadth first, one Run at a time, no joins."""

    def __init__(self, context: AttemptContext) -> None:
        self._context = context
        self._plan = context.program.plan
        self._nodes = self._plan.workflow.by_id()
        self._queue: deque[tuple[Node, bytes | None]] = deque()
        self._leaves = Leaves()
        self._runs = Runs(context)
        self._ended_by: RunError | None = None
        self._rescued = False

    def result(self, state: bytes) -> AttemptResult:
        """Walks until nothing is left to do."""
        clock, journal = self._context.settings.clock, self._context.journal
        begun_ns = clock.monotonic_ns()
        journal.executing(self._plan.workflow.title or "workflow", self._plan.start)
        self._begin(state)
        while self._queue:
            self._step(*self._queue.popleft())
        return self._finished((clock.monotonic_ns() - begun_ns) / 1e6)

    def _begin(self, state: bytes) -> None:
        if self._context.configurations.fault is not None:
            self._refuse(self._context.configurations.fault)
        else:
            self._queue.append((self._nodes[self._plan.start], state))

    def _step(self, node: Node, state: bytes | None) -> None:
        most_runs = self._context.settings.most_runs
        if self._runs.steps >= most_runs:
            self._refuse(too_many_runs(node.title, most_runs))
            return
        outcome = self._runs.step(node, state)
        if outcome.fatal is not None:
            self._end(outcome.fatal)
            if outcome.may_be_rescued:
                self._rescue(node, state, outcome.fatal)
        elif node.id == self._plan.options.end:
            self._queue.clear()
            self._end_in(node, outcome.state)
        elif outcome.followed:
            self._queue.extend((self._nodes[target], outcome.state) for target in outcome.followed)
        else:
            self._end_in(node, outcome.state)

    def _end_in(self, node: Node, state: bytes | None) -> None:
        """Keeps a final state. Jobs gave up their credentials in the host; what ran nothing hands on what came in."""
        ran = isinstance(node, Job) and node.expression
        self._leaves.add(node.id, state if ran else without_keys(state, self._context.settings.remove_keys))

    def _refuse(self, fault: RunError) -> None:
        """Ends the Attempt where no step is to blame."""
        self._context.journal.write("error", fault.message)
        if fault.fix:
            self._context.journal.write("error", fault.fix)
        self._end(fault)

    def _end(self, fault: RunError) -> None:
        """The Attempt is over: what waits is dropped, what was reached does not count; the first reason stays."""
        self._ended_by = self._ended_by or fault
        self._rescued = False
        self._queue.clear()
        self._leaves.clear()

    def _rescue(self, node: Node, state: bytes | None, fault: RunError) -> None:
        """Queues what is there for this very failure, with the input of the Run that ended and the error in it."""
        targets = [edge.target for edge in node.edges if edge.is_for_failure]
        if not targets or node.id == self._plan.options.end:
            return
        context = self._context
        if context.deadline.is_over():
            context.deadline.allow(FAILURE_PATH_TIMEOUT_MS)
        merged = with_error(state, node.id, report_of(fault), removed=context.settings.remove_keys)
        for target in targets:
            context.journal.rescuing(node.title, self._nodes[target].title)
            self._queue.append((self._nodes[target], merged))
        self._rescued = True

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
        )
