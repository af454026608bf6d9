"""How a failure is printed: what happened, where, and what to do (cli.md §2.3). Stack traces only at the level debug."""

from __future__ import annotations

import sys
from typing import TextIO

from kivuko.cli.call import Call
from kivuko.errors import CompileError, KivukoError, OptionInvalid

__all__ = ["abort_lines", "print_abort", "print_refusal", "print_trace"]


def print_abort(problem: KivukoError, call: Call | None) -> None:
    """Print why a command stops, in the form of OpenFn's "abort"."""
    if call is None:
        print("\n".join(text for _, text in abort_lines(problem)), file=sys.stderr)
        return
    call.log.line_break()
    for level, text in abort_lines(problem):
        if level == "error":
            call.log.error(text.replace("kivuko repo install", f"{call.program} repo install"))
        else:
            call.log.line_break()
    print_trace(problem, call)


def print_refusal(problem: OptionInvalid, command: str, call: Call | None, stream: TextIO) -> None:
    """Print that an option has a value it cannot have: the option's name on standard error, the reason to the log.

    Without a call there is no log yet: the reason goes to ``stream``.
    """
    print(f"Error parsing command arguments: {command}.{problem.option}", file=sys.stderr)
    lines = [problem.message, *([problem.details] if problem.details else []), *([problem.fix] if problem.fix else [])]
    for line in lines:
        if call is None:
            print(f"[CLI] ✘ {line}", file=stream)
        else:
            call.log.error(line)


def abort_lines(problem: KivukoError) -> list[tuple[str, str]]:
    """Pairs of kind (``error`` or ``break``) and text."""
    lines = [("error", problem.message)]
    if problem.details:
        lines += [("error", "ERROR DETAILS:"), ("error", problem.details)]
    if problem.fix:
        lines += [("error", "FIX HINT:"), ("error", problem.fix)]
    elif isinstance(problem, CompileError):
        lines += [("error", "FIX HINT:"), ("error", "Correct the job at the place that the message names.")]
    return [*lines, ("break", ""), ("error", "Critical error: aborting command")]


def print_trace(problem: KivukoError, call: Call) -> None:
    """At the level debug, print the way to the failure on standard error."""
    if call.log.prints("debug"):
        sys.excepthook(type(problem), problem, problem.__traceback__)
