"""The fork server: a small process with one thread that starts confined processes for a caller that has several.

A process with threads must not fork, and PDEATHSIG follows the *thread* that forked. Here both are simple: the server has one thread, dies
with its caller (end of file on the link), and its children die with it. It is started with an empty environment, never sees job code
or state, and loads nothing but the sandbox.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from typing import Any

from kivuko.engines.sandbox.birth import bear
from kivuko.engines.sandbox.confinement import Confinement, Layer
from kivuko.engines.sandbox.preparation import prepare
from kivuko.engines.sandbox.wire import receive, send
from kivuko.errors import HostFailed

__all__ = ["serve"]


class _Server:
    """What the server knows: its link, and the status pipe of each child that has not ended."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._status: dict[int, int] = {}

    def spawn(self, argv: list[str], env: dict[str, str], numbers: list[int], terms: dict[str, Any], descriptors: list[int]) -> None:
        """Start one process and answer. The first descriptor is the status pipe; the others belong to ``numbers``."""
        status, *files = descriptors
        try:
            layers = frozenset(Layer(one) for one in terms.pop("layers"))
            preparation = prepare(argv, env, Confinement(**terms, layers=layers))
            try:
                child = bear(preparation, dict(zip(numbers, files, strict=True)))
            finally:
                preparation.close()
        except (HostFailed, OSError) as error:
            os.close(status)
            send(self._link, {"failed": str(error), "details": getattr(error, "details", "")})
            return
        finally:
            for one in files:
                os.close(one)
        self._status[child.pid] = status
        child.close()
        listener = [] if child.listener is None else [child.listener]
        send(self._link, {"pid": child.pid, "missing": [one.value for one in child.missing]}, listener)
        for one in listener:
            os.close(one)

    def kill(self, pid: int) -> None:
        """SIGKILL to the group of a child that has not been reaped."""
        if pid in self._status:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def reap(self) -> None:
        """Tell the exit status of every child that has ended."""
        while self._status:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            pipe = self._status.pop(pid, None)
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # nobody asks any more
                    os.write(pipe, str(os.waitstatus_to_exitcode(status)).encode())
                os.close(pipe)

    def obey(self) -> None:
        """Serve one request. Raises EOFError when the caller is gone."""
        request, descriptors = receive(self._link)
        if "kill" in request:
            self.kill(request["kill"])
        else:
            self.spawn(request["argv"], request["env"], request["numbers"], request["terms"], descriptors)

    def end(self) -> None:
        """Kill what is left; on Linux the kernel does the same when this process ends."""
        for pid in self._status:
            self.kill(pid)


def _wake_on_child() -> int:
    """A descriptor that becomes readable when a child ends."""
    awake, bell = os.pipe()
    os.set_blocking(bell, False)
    os.set_blocking(awake, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
    return awake


def serve(number: int, caller: int) -> None:
    """Serve the caller (its process id) at the other end of socket ``number`` until it is gone."""
    link = socket.socket(fileno=number)
    server = _Server(link)
    awake = _wake_on_child()
    poller = select.poll()
    poller.register(link, select.POLLIN)
    poller.register(awake, select.POLLIN)
    with contextlib.suppress(OSError, AttributeError):  # a copy of the link in another child of the caller would hide its end
        poller.register(os.pidfd_open(caller), select.POLLIN)
    while os.getppid() == caller:
        ready = {descriptor for descriptor, _ in poller.poll()}
        if awake in ready:
            os.read(awake, 4096)
        server.reap()
        if link.fileno() in ready:
            try:
                server.obey()
            except (EOFError, ConnectionError):
                break
    server.end()
