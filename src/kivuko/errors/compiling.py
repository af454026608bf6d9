"""A job's text is no program."""

from __future__ import annotations

from kivuko.errors.root import KivukoError

__all__ = [
    "CompileError",
    "JobSyntaxError",
    "LazyStateError",
    "SourceTooLarge",
]


class CompileError(KivukoError):
    """A job cannot be compiled.

    ``line`` is 1-based; ``column`` is 0-based in UTF-16 units, as in the words of OpenFn's compiler. ``job`` is the name or id of the job,
    once whoever knows it has set it.
    """

    code = "compile"

    def __init__(self, message: str = "", *, line: int | None = None, column: int | None = None, fix: str = "", details: str = "") -> None:
        super().__init__(message, fix=fix, details=details)
        self.line = line
        self.column = column
        self.job: str | None = None


class JobSyntaxError(CompileError):
    """A job is not valid JavaScript."""

    code = "syntax"
    fix = "Correct the job at the line and column that the message names."


class LazyStateError(CompileError):
    """A `$` stands where no operation can read it."""

    code = "lazy_state"
    fix = "Use $ inside the arguments of an operation, or write state => … yourself."


class SourceTooLarge(CompileError):
    """A job's text is longer or more deeply nested than Kivuko compiles."""

    code = "source_too_large"
    fix = "Move data out of the job, into a file, a collection or the state."
