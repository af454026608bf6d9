"""What an Attempt gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from kivuko.engines.run import RunError
from kivuko.value import fresh, value

__all__ = ["AttemptResult", "Reason", "RunRecord"]

Reason = Literal["success", "fail", "crash", "kill", "exception"]
"""Why an Attempt or a Run ended (jobs-and-runtime §3.4)."""


@value
class RunRecord:
    """One Run of an Attempt. Times are nanoseconds since the epoch; ``input`` and ``output`` are JSON, kept only when asked for."""

    job_id: str
    job_name: str
    started_ns: int
    finished_ns: int
    duration_ms: float
    error: RunError | None = None
    followed: tuple[str, ...] = ()
    heap_bytes: int = 0
    rss_bytes: int = 0
    logs_dropped: int = 0
    input: bytes | None = None
    output: bytes | None = None

    @property
    def ok(self) -> bool:
        """Whether the job did what it should."""
        return self.error is None

    @property
    def reason(self) -> Reason:
        """Why the Run ended."""
        return "success" if self.error is None else self.error.severity

    @property
    def error_type(self) -> str | None:
        """The error's name, or after a crash the kind of error behind it (``ReferenceError``)."""
        if self.error is None:
            return None
        return self.error.name if self.error.severity == "fail" else self.error.subtype or self.error.name


@value
class AttemptResult:
    """The end of an Attempt.

    ``state`` is the final state: the only leaf's, or ``{"leaf": state, …}`` of several, as JSON; None when no leaf has state. ``leaves``
    holds them one by one. ``has_output`` is False after a crash or a kill, unless a failure edge took over and came to its end; then
    nothing may be written where the final state goes. ``error`` is what ended the Attempt early; a job that failed is not that.
    ``parked_ms`` is set when the Attempt is not over: a job is to be tried again after that time, and a recorder did not want to wait.
    """

    state: bytes | None
    reason: Reason
    error_type: str | None = None
    error_message: str | None = None
    error: RunError | None = None
    runs: tuple[RunRecord, ...] = ()
    leaves: Mapping[str, bytes] = fresh(factory=dict)
    has_output: bool = True
    duration_ms: float = 0.0
    parked_ms: int | None = None

    @property
    def failed_jobs(self) -> tuple[str, ...]:
        """The ids of the jobs of which some Run did not end well, in order."""
        return tuple(dict.fromkeys(run.job_id for run in self.runs if not run.ok))
