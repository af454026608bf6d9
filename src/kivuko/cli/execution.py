"""The run itself: everything that was prepared is handed to the runtime, and what comes out is told and kept."""

from __future__ import annotations

from kivuko.cli.adaptors_in_use import AdaptorsInUse
from kivuko.cli.attempt_run import Ending, Manner, run_plan
from kivuko.cli.call import Call
from kivuko.cli.closing import close_run, fail_run
from kivuko.cli.execute_options import ExecuteOptions
from kivuko.cli.task import Task
from kivuko.engines import Engine
from kivuko.errors import KivukoError
from kivuko.runtime import AttemptSettings, CompileSettings, Event, JobCompleted, JobFailed

__all__ = ["carry_out"]


def carry_out(call: Call, options: ExecuteOptions, engine: Engine, adaptors: AdaptorsInUse, task: Task, began: float) -> int:
    """Run a task and close it. ``began`` is a time of the monotonic clock in seconds. Gives the exit code."""
    try:
        ending = _attempt(call, options, engine, adaptors, task)
    except KivukoError as problem:
        return fail_run(call, problem, task.plan, began)
    return close_run(call, ending, task.output, began, strict=options.strict)


def _attempt(call: Call, options: ExecuteOptions, engine: Engine, adaptors: AdaptorsInUse, task: Task) -> Ending:
    def keep(event: Event) -> None:
        if isinstance(event, JobCompleted | JobFailed) and event.state is not None:
            try:
                task.cache.write(event.job_id, event.state)
            except OSError as problem:
                adaptors.progress.clear()
                call.log.warn(f"The output of step {event.job_id} is not cached: {problem.strerror or problem}")

    manner = Manner(
        settings=AttemptSettings(
            timeout_ms=options.timeout_ms, memory_mb=options.memory_mb, immutable=options.immutable, debug=call.log.prints("debug", "R/T")
        ),
        compiling=CompileSettings(compiled=options.compiled, ignore_imports=options.ignore_imports),
        sanitize=options.sanitize,
        on_event=keep if options.cache_steps else None,
    )
    ending = run_plan(call, engine, adaptors, task.plan, task.state, manner)
    if options.cache_steps:
        call.log.success(f"Cached output written to {task.cache.folder}")
    return ending
