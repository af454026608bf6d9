"""Whether another process has changed the configuration: looked at every second (server-and-data §5)."""

from __future__ import annotations

import threading

import structlog

from kivuko.errors import RecordsUnavailable
from kivuko.platform.changes import look
from kivuko.platform.reaching import reaching

__all__ = ["ConfigurationWatch"]

_EVERY_S = 1.0

_log = structlog.get_logger(__name__)


class ConfigurationWatch:
    """A thread that looks; listeners are those of ``kivuko.platform.changes``. ``stop`` ends it; ``look_now`` is a push of another node."""

    def __init__(self, *, every_s: float = _EVERY_S) -> None:
        self._every_s = every_s
        self._now = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._watch, name="configuration-watch", daemon=True)

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopping = True
        self._now.set()
        if self._thread.is_alive():
            self._thread.join()

    def look_now(self) -> None:
        """Looks without waiting."""
        self._now.set()

    def _watch(self) -> None:
        away = False
        while not self._stopping:
            try:
                with reaching():
                    look()
                away = False
            except RecordsUnavailable as problem:
                if not away:
                    _log.warning("the configuration cannot be looked at", reason=problem.message)
                away = True
            self._now.wait(self._every_s)
            self._now.clear()
