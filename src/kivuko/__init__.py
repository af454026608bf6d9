"""Kivuko: OpenFn-compatible jobs, workflows and adaptors, run from Python.

>>> import kivuko
>>> kivuko.run("export default [state => ({ n: state.data.n + 1 })]", {"data": {"n": 1}}).state
{'n': 2}

Everything but the version is imported when it is first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kivuko.errors import (
        AdaptorProblem,
        CompileError,
        EngineError,
        InputError,
        KivukoError,
        PlanError,
    )
    from kivuko.library import Credentials, Program, Result, Session, compile, load, run  # noqa: A004  the library's word
    from kivuko.runtime import AttemptResult, RunRecord
    from kivuko.runtime.logs import LogRecord, text_line
    from kivuko.workflow import Edge, ExecutionOptions, ExecutionPlan, Job, Trigger, Workflow

__all__ = [
    "AdaptorProblem",
    "AttemptResult",
    "CompileError",
    "Credentials",
    "Edge",
    "EngineError",
    "ExecutionOptions",
    "ExecutionPlan",
    "InputError",
    "Job",
    "KivukoError",
    "LogRecord",
    "PlanError",
    "Program",
    "Result",
    "RunRecord",
    "Session",
    "Trigger",
    "Workflow",
    "__version__",
    "compile",
    "load",
    "run",
    "text_line",
]

__version__ = "0.1.0"

_HOMES = {
    "kivuko.errors": ("AdaptorProblem", "CompileError", "EngineError", "InputError", "KivukoError", "PlanError"),
    "kivuko.library": ("Credentials", "Program", "Result", "Session", "compile", "load", "run"),
    "kivuko.runtime": ("AttemptResult", "RunRecord"),
    "kivuko.runtime.logs": ("LogRecord", "text_line"),
    "kivuko.workflow": ("Edge", "ExecutionOptions", "ExecutionPlan", "Job", "Trigger", "Workflow"),
}


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            from importlib import import_module  # 5 ms that `kivuko --version` does not need

            return getattr(import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
