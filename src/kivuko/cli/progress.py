"""One live line on standard error while something takes long; log lines are never replaced by it (cli.md §3.14)."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TextIO

from kivuko.cli.call import Call

__all__ = ["Progress"]

_SIGNS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_INTERVAL_S = 0.12
_PATIENCE_S = 0.4


class Progress:
    """Shows what is going on, and for how many seconds, from its first ``show`` to the end of the ``with`` block.

    Silent when standard error is no terminal, with ``--log-json``, ``--json`` or ``-l none``.
    """

    def __init__(self, call: Call, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        quiet = call.log.as_json or call.wants_json or call.log.levels["cli"] == "none"
        self._enabled = not quiet and self._stream.isatty()
        self._text = ""
        self._since = 0.0
        self._drawn = False
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def show(self, text: str) -> None:
        """What goes on from now; an empty text takes the line away until the next one."""
        with self._lock:
            self._wipe()
            self._text, self._since = text, time.monotonic()
        if self._enabled and self._thread is None:
            self._thread = threading.Thread(target=self._draw, name="progress", daemon=True)
            self._thread.start()

    def clear(self) -> None:
        """Take the line away so that a log line can be printed; it comes back by itself."""
        if self._drawn:
            with self._lock:
                self._wipe()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self._wipe()

    def _draw(self) -> None:
        turn = 0
        while not self._ended.wait(_INTERVAL_S):
            with self._lock:
                elapsed = time.monotonic() - self._since
                if self._text and elapsed >= _PATIENCE_S:
                    self._write(f"\r\033[2K{_SIGNS[turn % len(_SIGNS)]} {self._text} {elapsed:.0f} s")
                    self._drawn = True
            turn += 1

    def _wipe(self) -> None:
        if self._drawn:
            self._write("\r\033[2K")
            self._drawn = False

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self._enabled = False
            self._ended.set()
