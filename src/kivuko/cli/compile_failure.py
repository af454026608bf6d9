"""How a job that is no program is told: the message with its place, and the lines around it."""

from __future__ import annotations

import re

from kivuko.cli.call import Call
from kivuko.cli.failure import print_trace
from kivuko.errors import CompileError, JobSyntaxError
from kivuko.runtime import compile_message

__all__ = ["print_compile_error", "source_place"]

_SHOWN = 400


def print_compile_error(problem: CompileError, call: Call, source: str) -> None:
    """Print that a job is no program: the message with its place, and the lines of ``source`` around it."""
    job = f" {problem.job}" if problem.job else ""
    call.log.line_break()
    call.log.error(f"Failed to compile job{job}")
    call.log.error(f"{'SyntaxError: ' if isinstance(problem, JobSyntaxError) else ''}{compile_message(problem)}")
    if problem.details:
        call.log.error("ERROR DETAILS:")
        call.log.error(problem.details)
    if isinstance(problem, JobSyntaxError):
        call.log.always(f"Check the syntax of the job expression:\n\n{source_place(source, problem.line, problem.column)}")
    elif problem.fix:
        call.log.error("FIX HINT:")
        call.log.error(problem.fix)
    call.log.line_break()
    call.log.error("Critical error: aborting command")
    print_trace(problem, call)


def source_place(source: str, line: int | None, column: int | None) -> str:
    """A line of a source (1-based) with its number and a mark under its column (0-based, UTF-16 units), and two lines before it."""
    lines = re.split(r"\r\n|\n|\r", source)
    if line is None or not 0 < line <= len(lines):
        return source[:_SHOWN]
    wide = len(str(line))
    shown = [f"{number:>{wide}} | {lines[number - 1][:_SHOWN]}" for number in range(max(1, line - 2), line + 1)]
    if column is not None and column <= _SHOWN:
        before = lines[line - 1].encode("utf-16-le", "surrogatepass")[: column * 2].decode("utf-16-le", "replace")
        shown.append(f"{' ' * wide} | {''.join(character if character == chr(9) else ' ' for character in before)}^")
    return "\n".join(shown)
