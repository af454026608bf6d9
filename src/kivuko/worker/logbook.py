"""The log of one Attempt on its way to the server: numbered, in batches, never more than the server can take."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from kivuko.engines import Cancel
from kivuko.runtime.logs import LogRecord, rendered
from kivuko.worker.link import Reply

__all__ = ["LogBook"]

_LEVELS = {"log": "info", "print": "info"}
_PRIORITY = {"debug": 0, "log": 1, "info": 1, "print": 1, "success": 2, "always": 2, "warn": 2, "error": 3}
_LEAST = {"debug": 0, "info": 1, "default": 2, "warn": 2, "error": 3, "none": 9}
_MOST_UNDER_WAY = 8
_FEW_UNDER_WAY = 2
_TAIL_CHARACTERS = 50_000

SendBatch = Callable[[Mapping[str, object]], "Future[Reply]"]


class LogBook:
    """Takes the lines of an Attempt from any thread and sends them on, ``batch_lines`` at once or when ``flush`` is called.

    When too many batches wait for their answer, ``cancel`` holds the Run back until they were taken. With ``keeps_tails`` the text of each
    Run is kept, its last 50 000 characters, for those who follow its failure. ``job_log_level`` is the least level of what jobs print.
    """

    def __init__(self, send: SendBatch, first_seq: int, cancel: Cancel, *, batch_lines: int, job_log_level: str) -> None:
        self._send = send
        self._seq = first_seq
        self._cancel = cancel
        self._batch_lines = batch_lines
        self._least = _LEAST.get(job_log_level, 0)
        self.keeps_tails = False
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._lines: list[dict[str, object]] = []
        self._runs: dict[int, str] = {}
        self._tails: dict[int, _Tail] = {}
        self._under_way = 0

    def name(self, run: int, run_id: str) -> None:
        """Tells the id of a Run before its first line."""
        self._runs[run] = run_id

    def take(self, record: LogRecord) -> None:
        """Takes a line."""
        if record.is_break or (record.component == "JOB" and _PRIORITY[record.level] < self._least):
            return
        text = rendered(record)
        if text is None:
            return
        line: dict[str, object] = {
            "message": text,
            "source": record.component,
            "level": _LEVELS.get(record.level, record.level),
            "timestamp": str(record.time_ns // 1000),
        }
        if record.run is not None and record.run in self._runs:
            line["step_id"] = self._runs[record.run]
        with self._lock:
            line["seq"] = self._seq
            self._seq += 1
            self._lines.append(line)
            if self.keeps_tails and record.run is not None:
                self._tails.setdefault(record.run, _Tail()).add(text)
            if len(self._lines) >= self._batch_lines:
                self._flush()

    def flush(self) -> None:
        """Sends what waits."""
        with self._lock:
            self._flush()

    def text_of(self, run: int) -> str:
        """What the log says of a Run, its end at least."""
        tail = self._tails.get(run)
        return tail.text if tail else ""

    def _flush(self) -> None:
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        self._count(1)
        self._send({"logs": lines}).add_done_callback(lambda _: self._count(-1))

    def _count(self, change: int) -> None:
        # A lock of its own: answers come while another thread sends, and must not wait for it.
        with self._counting:
            self._under_way += change
            if self._under_way >= _MOST_UNDER_WAY:
                self._cancel.hold()
            elif self._cancel.held and self._under_way <= _FEW_UNDER_WAY:
                self._cancel.release()


class _Tail:
    """The end of a text that grows line by line."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._size = 0

    def add(self, line: str) -> None:
        self._lines.append(line[-_TAIL_CHARACTERS:])
        self._size += len(self._lines[-1]) + 1
        while self._size > _TAIL_CHARACTERS and len(self._lines) > 1:
            self._size -= len(self._lines.popleft()) + 1

    @property
    def text(self) -> str:
        return "\n".join(self._lines)
