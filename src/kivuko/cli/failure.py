"""How a failure is printed: what happened, where, and what to do (cli.md §2.3). Stack traces only at the level debug."""

from __future__ import annotations

import sys

from kivuko.cli.call import Call
from kivuko.errors import CompileError, JobSyntaxError, KivukoError, OptionInvalid

__all__ = ["abort_lines", "print_abort", "print_compile_error", "print_refusal", "source_place"]

_SHOWN = 400


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
    _trace(problem, call)


def print_compile_error(problem: CompileError, call: Call, source: str) -> None:
    """Print that a job is no program: the message with its place, and the lines of ``source`` around it."""
    from kivuko.runtime import compile_message  # commands that run nothing must not pay for the runtime

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
    _trace(problem, call)


def source_place(source: str, line: int | None, column: int | None) -> str:
    """A line of a source (1-based) with its number and a mark under its column (0-based, UTF-16 units), and two lines before it."""
    lines = source.splitlines()
    if line is None or not 0 < line <= len(lines):
        return source[:_SHOWN]
    wide = len(str(line))
    shown = [f"{number:>{wide}} | {lines[number - 1][:_SHOWN]}" for number in range(max(1, line - 2), line + 1)]
    if column is not None and column <= _SHOWN:
        before = lines[line - 1].encode("utf-16-le", "surrogatepass")[: column * 2].decode("utf-16-le", "replace")
        shown.append(f"{' ' * wide} | {''.join(character if character == chr(9) else ' ' for character in before)}^")
    return "\n".join(shown)


def print_refusal(problem: OptionInvalid, command: str, call: Call | None) -> None:
    """Print that an option has a value it cannot have: the reason on standard output, the option's name on standard error."""
    print(f"Error parsing command arguments: {command}.{problem.option}", file=sys.stderr)
    lines = [problem.message, *([problem.details] if problem.details else []), *([problem.fix] if problem.fix else [])]
    for line in lines:
        if call is None:
            print(f"[CLI] ✘ {line}")
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


def _trace(problem: KivukoError, call: Call) -> None:
    if call.log.prints("debug"):
        import traceback  # only when someone looks for a fault

        call.log.debug("".join(traceback.format_exception(problem)))
