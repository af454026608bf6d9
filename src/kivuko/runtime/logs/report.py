"""How an error of a Run is told in the log (jobs-and-runtime §3.3)."""

from __future__ import annotations

from kivuko.engines.run import RunError
from kivuko.runtime.logs.journal import Journal

__all__ = ["report_error"]


def report_error(journal: Journal, error: RunError, job_id: str, job_name: str) -> None:
    """Writes the report of an error: what happened, where in the job, what to do, and details.

    The texts are OpenFn's; the line that points at the place stands under the source line.
    """
    journal.write("print")
    if error.severity == "crash":
        journal.write("error", "CRITICAL ERROR! Aborting execution")
    if error.name == "StateTooLargeError":
        journal.write("error", f"Critical error processing state: {error.message}")
    elif error.src is not None:
        _tell_place(journal, error, job_name)
    elif error.operation_line is not None:
        journal.write("error", f"Error reported by {_operation(error)}operation line {error.operation_line}:")
        journal.write("error", _headline(error))
    else:
        journal.write("error", error.message or _headline(error))
    _tell_more(journal, error)
    if error.severity == "fail":
        journal.write("error", f"Check state.errors.{job_id} for details")


def _headline(error: RunError) -> object:
    """What is said first: the stack, the message, or the thrown value itself when it brought none."""
    return error.stack or error.message or (error.details if _says_something(error.details) else "A value without message was thrown")


def _says_something(details: object) -> bool:
    return details is not None and details not in ("", {}, [])


def _tell_place(journal: Journal, error: RunError, job_name: str) -> None:
    number = f"{error.line}: "
    journal.write("error", _headline(error))
    journal.write("error", f"Error occurred at: {job_name}")
    journal.write("error", f"{number}{error.src}")
    if error.column is not None:
        journal.write("error", f"{_indent(number + (error.src or ''), len(number) + error.column - 1)}^")


def _indent(line: str, width: int) -> str:
    """White space as wide as the beginning of a line, whose tabs stay tabs."""
    return "".join("\t" if character == "\t" else " " for character in line[:width].ljust(width))


def _operation(error: RunError) -> str:
    return f'"{error.operation}()" ' if error.operation else ""


def _tell_more(journal: Journal, error: RunError) -> None:
    if error.fix:
        journal.write("error", error.fix)
    if _says_something(error.details) and _headline(error) is not error.details:
        journal.write("error", "Additional error details:")
        # Not "print", which the command line leaves out unless more is asked for
        journal.write("error", error.details)
