"""A failure in the document of ``--json``: what happened, where as far as it is known, and what to do."""

from __future__ import annotations

import json

from kivuko.cli.commands import Command
from kivuko.errors import CompileError, KivukoError

__all__ = ["described", "failure_document", "print_document"]


def described(problem: KivukoError) -> dict[str, object]:
    """``code``, ``message``, ``details`` and ``fix`` of an error; of a job that is no program also ``step``, ``line`` and ``column``.

    Lines and columns count from 1, as in ``state.errors``; None is unknown.
    """
    told: dict[str, object] = {"code": problem.code, "message": problem.message, "details": problem.details, "fix": problem.fix}
    if isinstance(problem, CompileError):
        column = None if problem.column is None else problem.column + 1
        told |= {"step": problem.job, "line": problem.line, "column": column}
    return told


def failure_document(problem: KivukoError, exit_code: int, command: Command | None) -> dict[str, object]:
    """The document of a command that ends with ``exit_code`` before it has done anything; None is a command line nobody understands."""
    return {"exit": exit_code, **(command.nothing if command is not None else {}), "error": described(problem)}


def print_document(document: object) -> None:
    """Print the one document of ``--json``."""
    print(json.dumps(document, ensure_ascii=False, indent=2), flush=True)
