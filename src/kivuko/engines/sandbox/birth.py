"""Starting a confined process by forking the calling process, which must have one thread only."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping

from kivuko.engines.sandbox.child import Child, own_child
from kivuko.engines.sandbox.libc import LINUX, call
from kivuko.engines.sandbox.newborn import FAILED, LISTENER, become
from kivuko.engines.sandbox.numbers import number
from kivuko.engines.sandbox.preparation import Preparation
from kivuko.errors import HostFailed

__all__ = ["bear", "thread_count"]


def thread_count() -> int:
    """How many threads the kernel sees in this process, those of libraries included; 2 where it cannot be known."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 2


def _exit_descriptor(pid: int) -> int | None:
    if not LINUX:
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:  # before Linux 5.3, or refused by a container
        return None


def _failure(message: bytes, program: str) -> HostFailed:
    _, stage, code, text = message.split(b"\0", 3)
    details = f"stage {stage.decode()}, errno {code.decode()}: {text.decode(errors='replace')}"
    return HostFailed(f"{program} could not be started in the sandbox ({text.decode(errors='replace')}).", details=details)


def _take_listener(message: bytes, exit_fd: int | None) -> int:
    child = -1 if exit_fd is None else exit_fd
    listener = call(number("pidfd_getfd") or 0, child, int(message.removeprefix(LISTENER)), 0)
    os.set_inheritable(listener, False)
    return listener


def _follow(told: int, answer: int, exit_fd: int | None, program: str) -> int | None:
    """Read what the child tells until it has become the program. Gives its listener. Raises HostFailed, OSError."""
    listener = None
    while message := os.read(told, 4096):
        if message.startswith(FAILED):
            if listener is not None:
                os.close(listener)
            raise _failure(message, program)
        listener = _take_listener(message, exit_fd)
        os.write(answer, b".")
    return listener


def _fork(preparation: Preparation, descriptors: Mapping[int, int], tell: int, wait: int) -> int:
    """Fork with all signals held back, so that no handler of the caller runs in the child."""
    parent = os.getpid()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            become(preparation, descriptors, tell, wait, parent)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _abandon(child: Child) -> None:
    child.kill()
    child.wait()
    child.close()


def bear(preparation: Preparation, descriptors: Mapping[int, int]) -> Child:
    """Fork, confine, execute. ``descriptors`` maps the child's numbers (0, 1 and 2 included) to the caller's. Raises HostFailed."""
    (told, tell), (wait, answer) = os.pipe(), os.pipe()
    try:
        try:
            pid = _fork(preparation, descriptors, tell, wait)
        finally:
            os.close(tell)
            os.close(wait)
        exit_fd = _exit_descriptor(pid)
        try:
            listener = _follow(told, answer, exit_fd, preparation.program)
        except (HostFailed, OSError) as error:
            _abandon(own_child(pid, exit_fd, None, preparation.missing))
            if isinstance(error, HostFailed):
                raise
            raise HostFailed(f"{preparation.program} could not be started in the sandbox ({error}).") from error
        return own_child(pid, exit_fd, listener, preparation.missing)
    finally:
        os.close(told)
        os.close(answer)
