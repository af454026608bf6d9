"""The lines of an Attempt on the screen: what the runtime and the jobs log, and how the command closes."""

from __future__ import annotations

from kivuko.cli.log import Log
from kivuko.cli.progress import Progress
from kivuko.runtime.logs.record import LogRecord
from kivuko.runtime.logs.rendering import SanitizePolicy, rendered, sanitized

__all__ = ["AttemptLog"]


class AttemptLog:
    """Where the runtime sends its lines. ``sanitize`` hides what objects hold."""

    def __init__(self, log: Log, progress: Progress, sanitize: SanitizePolicy) -> None:
        self._log = log
        self._progress = progress
        self._sanitize: SanitizePolicy = sanitize

    def hear(self, record: LogRecord) -> None:
        """Print one line."""
        if not self._log.prints(record.level, record.component):
            return
        self._progress.clear()
        if record.is_break:
            self._log.line_break()
            return
        text = rendered(record, self._sanitize)
        if text is not None:
            self._log.write(record.level, record.component, sanitized(record, self._sanitize), text, time_ns=record.time_ns)
