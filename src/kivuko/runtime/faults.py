"""Errors of an Attempt that the runtime itself finds, in OpenFn's words (jobs-and-runtime §3.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kivuko.engines.run import Limits, RunError, Severity
from kivuko.errors import AdaptorProblem, CompileError, KivukoError
from kivuko.runtime.out_of_reach import advice_on_module
from kivuko.value import replace

__all__ = [
    "adaptor_fault",
    "advised",
    "attempt_timeout",
    "compile_message",
    "credential_fault",
    "edge_fault",
    "engine_fault",
    "export_fault",
    "import_fault",
    "not_compiled",
    "report_of",
    "too_many_runs",
]


def import_fault(module: str, *, reason: str = "", fix: str = "") -> RunError:
    """A module that a job needs is not there. That one of Node's own is not installed would say nothing: they cannot be had."""
    message, advice = f'Failed to import module "{module}"', advice_on_module(module)
    return _fault("ImportError", "crash", message, fix=advice or fix, details=None if advice else reason or None)


def adaptor_fault(problem: AdaptorProblem) -> RunError:
    """An adaptor is there but does not load."""
    return _fault("ImportError", "crash", problem.message, fix=problem.fix, details=problem.details or None)


def report_of(error: RunError) -> Mapping[str, object]:
    """What stands in ``state.errors`` for an error; a host that was killed could write none."""
    return error.report or {"source": "runtime", "name": error.name, "severity": error.severity, "message": error.message}


def export_fault(module: str, name: str) -> RunError:
    """A job imports a name that a module does not have."""
    message = f"SyntaxError: The requested module '{module}' does not provide an export named '{name}'"
    return _fault("RuntimeCrash", "crash", message, subtype="SyntaxError")


def not_compiled(error: CompileError, job_name: str) -> RunError:
    """A job is no program, and was reached."""
    return _fault("CompileError", "crash", f"{job_name}: {compile_message(error)}", fix=error.fix)


def compile_message(error: CompileError) -> str:
    """The message of a compile error with ``(line:column)`` at its end, as acorn words it."""
    place = f"({error.line}:{error.column})"
    return error.message if error.line is None or error.message.endswith(place) else f"{error.message} {place}"


def edge_fault(source: str, target: str, message: str, condition: str) -> RunError:
    """A condition threw; ``condition`` is its text."""
    return _fault("EdgeConditionError", "crash", f"{source}->{target}: {message}", fix=f"Correct the condition: {condition}")


def advised(error: RunError, limits: Limits) -> RunError:
    """An error with advice when one of ``limits`` was met: which it is and how to raise it."""
    if error.name == "OOMError":
        advice = f"Keep less in memory at once, or raise the limit of {limits.memory_mb} MB: --memory on the command line, or memory_mb."
    elif error.name == "TimeoutError":
        advice = f"Let the job do less at once, or raise the limit of {limits.timeout_ms} ms: --timeout on the command line, or timeout_ms."
    else:
        return error
    return replace(error, fix=error.fix or advice)


def attempt_timeout(limit_ms: int) -> RunError:
    """The whole Attempt took too long."""
    return _fault("TimeoutError", "kill", f"Workflow failed to return within {limit_ms}ms")


def too_many_runs(step: str, most_runs: int) -> RunError:
    """The Attempt has more Runs than it may."""
    message = f"Step {step} was reached after {most_runs} runs, which is as many as one attempt may have"
    return _fault(
        "RuntimeCrash", "crash", message, fix="A step runs once for every path that leads to it: let fewer paths branch and meet again."
    )


def engine_fault(error: KivukoError) -> RunError:
    """The machinery failed, not the job."""
    return _fault("ExecutionError", "exception", error.message, fix=error.fix, details=error.details or None)


def credential_fault(problems: Iterable[tuple[str, KivukoError]]) -> RunError:
    """Credentials could not be loaded: all of them in one message."""
    lines = [f"Failed to load credential {identity}: {problem.message}" for identity, problem in problems]
    return _fault("CredentialLoadError", "exception", "\n".join(lines))


def _fault(name: str, severity: Severity, message: str, *, fix: str = "", details: object = None, subtype: str | None = None) -> RunError:
    error = RunError(name, severity, message, subtype=subtype, fix=fix, details=details)
    return replace(error, report=report_of(error))
