"""A confined process, as its parent sees it."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable

from kivuko.engines.sandbox.confinement import Layer

__all__ = ["Child"]


class Child:
    """A process that ``spawn`` started.

    ``exit_fd`` becomes readable when the process has ended (for selectors); None on systems without such a descriptor. ``listener`` is the
    descriptor of its seccomp listener, which belongs to whoever answers it; None without level 2. ``missing`` are the layers that were
    asked for and that this machine does not have.
    """

    def __init__(
        self,
        pid: int,
        exit_fd: int | None,
        listener: int | None,
        missing: frozenset[Layer],
        *,
        reap: Callable[[bool], int | None],
        signal_group: Callable[[], None],
    ) -> None:
        self.pid = pid
        self.exit_fd = exit_fd
        self.listener = listener
        self.missing = missing
        self._reap = reap
        self._signal_group = signal_group
        self._lock = threading.Lock()
        self._returncode: int | None = None

    def __repr__(self) -> str:
        return f"Child(pid={self.pid}, returncode={self._returncode})"

    def poll(self) -> int | None:
        """The exit status (negative: the signal that ended it), None while it runs. Never waits."""
        with self._lock:
            if self._returncode is None:
                self._returncode = self._reap(False)
            return self._returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Like ``poll``, but waits up to ``timeout`` seconds (None = for ever)."""
        if self._returncode is None and self.exit_fd is not None:
            poller = select.poll()
            poller.register(self.exit_fd, select.POLLIN)
            poller.poll(None if timeout is None else timeout * 1000)
            return self.poll()
        if self._returncode is None and timeout is None:
            with self._lock:
                self._returncode = self._reap(True)
        return self.poll()

    def kill(self) -> None:
        """SIGKILL to the whole process group, if the process has not been seen to end."""
        with self._lock:
            if self._returncode is None:
                self._signal_group()

    def close(self) -> None:
        """Close ``exit_fd``. Call it when the process has been waited for."""
        if self.exit_fd is not None:
            os.close(self.exit_fd)
            self.exit_fd = None


def own_child(pid: int, exit_fd: int | None, listener: int | None, missing: frozenset[Layer]) -> Child:
    """The handle of a process that the calling process forked itself."""

    def reap(wait: bool) -> int | None:
        found, status = os.waitpid(pid, 0 if wait else os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if found else None

    def signal_group() -> None:
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # ended, not yet waited for by anybody, or reaped by a handler of the caller

    return Child(pid, exit_fd, listener, missing, reap=reap, signal_group=signal_group)
