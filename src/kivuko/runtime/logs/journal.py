"""The runtime's own log lines: OpenFn's words, one method a line (jobs-and-runtime §2.12)."""

from __future__ import annotations

from collections.abc import Callable

from kivuko.engines.run import LogLevel
from kivuko.runtime.logs.durations import duration_text
from kivuko.runtime.logs.record import LogRecord, LogSink

__all__ = ["Journal"]

_BYTES_PER_MB = 1024 * 1024


class Journal:
    """Writes lines of component ``R/T`` to a sink; debug lines only when someone wants them.

    ``job_id`` and ``run`` are set while a Run goes on, so that each line tells where it belongs.
    """

    def __init__(self, sink: LogSink, now_ns: Callable[[], int], *, debug: bool = False) -> None:
        self._sink = sink
        self._now_ns = now_ns
        self._debug = debug
        self.job_id: str | None = None
        self.run: int | None = None

    def write(self, level: LogLevel, *message: object) -> None:
        """One line; without arguments a visual break."""
        self._sink(LogRecord(level, "R/T", message, self._now_ns(), job_id=self.job_id, run=self.run))

    def _detail(self, text: str) -> None:
        if self._debug:
            self.write("debug", text)

    def executing(self, title: str, start: str) -> None:
        """The Attempt begins."""
        self.write("info", f"Executing {title}")
        self._detail(f"Starting execution from step {start}")

    def invalid(self, message: str) -> None:
        """The plan cannot be executed."""
        self.write("error", "Error validating execution plan")
        self.write("error", message)
        self.write("error", "Aborting")

    def starting(self, title: str, timeout_ms: int | None) -> None:
        """A Run begins."""
        self.write("info", f"Starting step {title}")
        if timeout_ms is not None:
            self._detail(f"Timeout set to {timeout_ms}ms")

    def completed(self, title: str, duration_ms: float) -> None:
        """A Run ended well."""
        self.write("success", f"{title} completed in {duration_text(duration_ms)}")

    def aborted(self, title: str, duration_ms: float) -> None:
        """A Run did not end well."""
        self.write("error", f"{title} aborted with error ({duration_text(duration_ms)})")

    def retrying(self, title: str, number: int, delay_ms: int) -> None:
        """A Run that failed is tried again."""
        self.write("warn", f"{title} will be tried again in {duration_text(delay_ms)} (try {number})")

    def cleaned(self, keys: tuple[str, ...]) -> None:
        """What was taken out of the state of a Run."""
        if keys:
            self._detail(f"Cleaning up state. Removing keys: {', '.join(keys)}")

    def memory(self, heap_bytes: int, rss_bytes: int) -> None:
        """What a Run used: JavaScript's heap and the whole host."""
        self._detail(f"Step memory usage: [step {heap_bytes // _BYTES_PER_MB}mb] [system {rss_bytes // _BYTES_PER_MB}mb]")

    def edge(self, target: str, followed: bool) -> None:
        """What came out of a condition."""
        fate = "will be executed next" if followed else "will NOT be executed"
        self._detail(f"Edge condition returned {str(followed).lower()}; {target} {fate}")

    def stateless(self, title: str) -> None:
        """A Run gave no state although others follow it."""
        self.write("warn", f"WARNING: step {title} did not return a state object. This may cause downstream jobs to fail.")

    def timed_out(self, timeout_ms: int) -> None:
        """A Run or the Attempt took too long."""
        self.write("error", f"Error: Timeout expired ({timeout_ms}ms)")

    def edge_failed(self, message: str, fix: str) -> None:
        """A condition threw; the message names the edge, ``fix`` the condition."""
        self.write("error", f"Failed to evaluate edge condition {message}")
        self.write("error", fix)
        self.write("error", "Aborting")

    def rescuing(self, title: str, target: str) -> None:
        """A job follows although the Attempt has ended, because it is there for this failure."""
        self.write("info", f"{title} did not end well; {target} is executed because its edge says on_job_failure")
