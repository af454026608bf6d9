"""How a run ends on the screen and on the disk: the result, the count of errors, the time, the exit code (cli.md §3.1)."""

from __future__ import annotations

import json
import sys
import time

from kivuko.cli.attempt_run import Ending
from kivuko.cli.call import Call
from kivuko.cli.compile_failure import print_compile_error
from kivuko.cli.failure import print_abort
from kivuko.cli.json_failure import described
from kivuko.cli.output_file import OutputFile
from kivuko.engines import RunError
from kivuko.errors import CompileError, InputError, KivukoError, PlanError
from kivuko.runtime import AttemptResult
from kivuko.runtime.faults import compile_message
from kivuko.runtime.logs.durations import duration_text
from kivuko.workflow import ExecutionPlan

__all__ = ["close_run", "fail_run", "job_source"]


def close_run(call: Call, ending: Ending, output: OutputFile | None, began: float, *, strict: bool) -> int:
    """Write or print the result and say how the run ended. ``began`` is a time of the monotonic clock, in seconds."""
    result = ending.result
    problem: InputError | None = None
    if result.has_output:
        _warn_of_nothing(call, ending)
        problem = _deliver(call, ending, output)
    duration = duration_text((time.monotonic() - began) * 1000)
    errors, failed, unread = _errors(ending)
    if result.error is not None or problem is not None or unread is not None:
        code = 1
        call.log.always(f"Workflow failed in {duration}.")
    else:
        code = 1 if strict and failed else 0
        if errors:
            call.log.warn(f"Errors reported in {len(errors)} jobs")
        call.log.success(f"Finished in {duration}{'' if errors else ' ✨'}")
    if problem is not None:
        print_abort(problem, call)
        call.log.error("The result is not lost, here it is:")
        call.log.raw(ending.document().decode("utf-8", "surrogatepass"))
    if unread is not None:
        print_abort(unread, call)
    return _report(call, ending, output, began, code, unread)


def fail_run(call: Call, problem: KivukoError, plan: ExecutionPlan, began: float) -> int:
    """Say why a run could not start: its plan or a job is wrong. Gives the exit code."""
    if isinstance(problem, CompileError):
        print_compile_error(problem, call, job_source(plan, problem.job))
    elif isinstance(problem, PlanError):
        if problem.fix:
            call.log.error(problem.fix)
        call.log.always(f"Workflow failed in {duration_text((time.monotonic() - began) * 1000)}.")
    else:
        print_abort(problem, call)
    message = compile_message(problem) if isinstance(problem, CompileError) else problem.message
    if call.wants_json:
        error = {**described(problem), "message": message}
        call.result({"exit": 1, **call.command.nothing, "duration_ms": _ms(began), "error": error})
    return 1


def job_source(plan: ExecutionPlan, name: str | None) -> str:
    """The source of the job with that name or id, or of the globals; empty when there is none."""
    sources = {"globals": plan.workflow.globals or ""}
    for job in plan.workflow.jobs:
        sources |= {job.id: job.expression, job.title: job.expression}
    return sources.get(name or "", "")


def _deliver(call: Call, ending: Ending, output: OutputFile | None) -> InputError | None:
    if output is not None:
        try:
            output.write_from(ending.indent if ending.state is not None else lambda _: None)
        except InputError as problem:
            return problem
        call.log.success(f"State written to {output.shown}")
    elif not call.wants_json:
        _print_result(call, None if ending.state is None else ending.document())
    return None


def _print_result(call: Call, document: bytes | None) -> None:
    """The result on standard output: with ``-l none`` the bare JSON, for pipes."""
    text = "undefined" if document is None else document.decode("utf-8", "surrogatepass")
    if call.log.levels["cli"] == "none":
        if document is not None:
            sys.stdout.buffer.write(document + b"\n")
            sys.stdout.flush()
        return
    call.log.success("Result:")
    call.log.always(text)


def _warn_of_nothing(call: Call, ending: Ending) -> None:
    """A run that ends without state writes an empty file: say which operation returned nothing."""
    if ending.state is not None or not ending.result.runs:
        return
    last = ending.result.runs[-1]
    prepared = ending.program.jobs.get(last.job_id)
    operations = prepared.compiled.operations if prepared is not None and prepared.compiled is not None else ()
    where = (
        f": its last operation, {operations[-1].name or 'a function'}() in line {operations[-1].line}, returned nothing"
        if operations
        else ""
    )
    call.log.warn(f"Step {last.job_name} ended without state{where}. Return the state at the end of an operation.")


def _errors(ending: Ending) -> tuple[dict[str, object], bool, InputError | None]:
    """The top-level ``errors`` of the final state, whether any leaf has some, and what stands in the way of knowing."""
    state = ending.result.state
    if state is None or b'"errors"' not in state:
        return {}, False, None
    try:
        found = _errors_in(state)
        return found, bool(found) or any(bool(_errors_in(leaf)) for leaf in ending.result.leaves.values()), None
    except RecursionError:
        return {}, False, _too_deep()


def _too_deep() -> InputError:
    return InputError("The final state is nested too deeply to be looked into", fix="Return a flatter state from the last operation.")


def _errors_in(state: bytes) -> dict[str, object]:
    parsed = json.loads(state)
    held = parsed.get("errors") if isinstance(parsed, dict) else None
    return held if isinstance(held, dict) else {}


def _report(call: Call, ending: Ending, output: OutputFile | None, began: float, code: int, unread: InputError | None) -> int:
    """Print the document of ``--json``. Gives the exit code: 1 in any case for a state that cannot be put into it."""
    if not call.wants_json:
        return code
    document: dict[str, object] = {
        "exit": code,
        "state": None,
        "errors": _errors(ending)[0] or None,
        "output_path": str(output.path) if output is not None and ending.result.has_output else None,
        "duration_ms": _ms(began),
    }
    error = ending.result.error
    if error is not None:
        document["error"] = _fault(error, ending.result)
    if unread is None:
        try:
            call.result({**document, "state": json.loads(ending.state) if ending.state is not None else None})
            return code
        except RecursionError:
            unread = _too_deep()
            print_abort(unread, call)
    call.result({"error": described(unread), **document, "exit": 1})
    return 1


def _fault(error: RunError, result: AttemptResult) -> dict[str, object]:
    """What ended an Attempt early, and where: step, line and column, None where it has no place."""
    step = next((run.job_id for run in result.runs if run.error is error), None)
    line = error.line if error.line is not None else error.operation_line
    told = {"name": error.name, "severity": error.severity, "message": error.message, "fix": error.fix}
    return {**told, "step": step, "line": line, "column": error.column, "operation": error.operation}


def _ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
