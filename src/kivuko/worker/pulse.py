"""What a worker, and the server's desk of workers, do again and again on a thread of their own, whatever goes wrong once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

__all__ = ["keep_doing"]

_log = structlog.get_logger(__name__)


def keep_doing(chore: Callable[[], None], ended: threading.Event, every_s: float) -> None:
    """Does it each so many seconds until ``ended`` is set. A worker without heartbeat or fence would claim on, and lose all that it has."""
    while not ended.wait(every_s):
        try:
            chore()
        except Exception:  # noqa: BLE001 - the boundary of a thread: the next time is another chance
            _log.exception("a chore failed", chore=getattr(chore, "__qualname__", ""))
