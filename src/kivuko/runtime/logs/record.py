"""One line of the log of an Attempt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from kivuko.engines.run import LogLevel, LogLine
from kivuko.value import value

__all__ = ["Component", "LogRecord", "LogSink"]

Component = Literal["R/T", "CMP", "JOB", "ADA"]
"""Who speaks: the runtime, the compiler, the console of a job, the console of an adaptor."""


@value
class LogRecord:
    """A line as it leaves the runtime, with all secrets already taken out.

    ``message`` holds one JSON value per argument; an empty one is a visual break. ``text`` holds the readable form of those arguments where
    it is not the plain one. ``time_ns`` counts from the epoch. ``job_id`` is the job whose Run wrote the line, and ``run`` the number of
    that Run within the Attempt, from 0; both are None outside Runs.
    """

    level: LogLevel
    component: Component
    message: tuple[object, ...]
    time_ns: int
    text: tuple[str | None, ...] | None = None
    job_id: str | None = None
    run: int | None = None

    @classmethod
    def of_line(cls, line: LogLine, job_id: str, run: int | None) -> LogRecord:
        """The record of a line that a host sent."""
        return cls(line.level, line.source, line.message, line.time_ns, line.text, job_id, run)

    @property
    def is_break(self) -> bool:
        """Whether this is an empty line for the eye only; it has no place in JSON logs."""
        return not self.message


LogSink = Callable[[LogRecord], None]
"""Where the lines of an Attempt go, one call each, in order."""
