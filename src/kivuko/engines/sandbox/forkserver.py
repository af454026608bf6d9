"""Starting confined processes from a process that has threads: through a fork server of its own."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from kivuko.engines.sandbox.child import Child
from kivuko.engines.sandbox.confinement import Confinement, Layer
from kivuko.engines.sandbox.wire import receive, send
from kivuko.errors import HostFailed
from kivuko.value import fields

__all__ = ["ForkServer", "fork_server"]

# The packages above the sandbox are stood in for, so that the server loads the sandbox's modules and nothing else of Kivuko.
_BOOTSTRAP = """
import sys, types
for name, path in zip(("kivuko", "kivuko.engines"), sys.argv[3:]):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [path]
from kivuko.engines.sandbox.server import serve
serve(int(sys.argv[1]), int(sys.argv[2]))
"""


def _terms(confinement: Confinement) -> dict[str, object]:
    values = {name: getattr(confinement, name) for name in fields(confinement)}
    return values | {"layers": [one.value for one in confinement.layers]}


class ForkServer:
    """One fork server and the link to it. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.owner = os.getpid()
        self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        engines = Path(__file__).resolve().parent.parent
        command = [sys.executable, "-I", "-S", "-c", _BOOTSTRAP, str(theirs.fileno()), str(self.owner), str(engines.parent), str(engines)]
        kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}  # Python itself may need it
        with theirs:
            self._process = subprocess.Popen(
                command, env=kept, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], cwd="/", start_new_session=True
            )

    @property
    def alive(self) -> bool:
        """Whether the server can be used by this process."""
        return self.owner == os.getpid() and self._process.poll() is None

    def spawn(self, argv: Sequence[str], env: Mapping[str, str], files: Mapping[int, int], confinement: Confinement) -> Child:
        """As ``kivuko.engines.sandbox.spawn``; ``files`` maps all of the child's numbers. Raises HostFailed."""
        exit_fd, status = os.pipe()
        request = {"argv": list(argv), "env": dict(env), "numbers": list(files), "terms": _terms(confinement)}
        try:
            with self._lock:
                send(self._link, request, [status, *files.values()])
                answer, listener = receive(self._link)
        except (OSError, EOFError) as error:
            os.close(exit_fd)
            raise HostFailed("The fork server of the sandbox has ended.", details=str(error)) from error
        finally:
            os.close(status)
        if "failed" in answer:
            os.close(exit_fd)
            raise HostFailed(answer["failed"], details=answer["details"])
        missing = frozenset(Layer(one) for one in answer["missing"])
        return self._child(answer["pid"], exit_fd, listener[0] if listener else None, missing)

    def _child(self, pid: int, exit_fd: int, listener: int | None, missing: frozenset[Layer]) -> Child:
        os.set_blocking(exit_fd, False)

        def reap(wait: bool) -> int | None:
            try:
                status = os.read(exit_fd, 32)
            except BlockingIOError:
                return None
            return int(status) if status else -signal.SIGKILL  # the server ended, and its children with it

        def signal_group() -> None:
            try:
                with self._lock:
                    send(self._link, {"kill": pid})
            except OSError:
                return  # the server is gone, and its children with it

        return Child(pid, exit_fd, listener, missing, reap=reap, signal_group=signal_group)

    def close(self) -> None:
        """End the server and every process that it started. In a forked copy of the owner: only let go of the link. Idempotent."""
        if self.owner == os.getpid():
            with contextlib.suppress(OSError):  # closed before
                self._link.shutdown(socket.SHUT_RDWR)  # the end is seen even if a forked copy of this process holds the link too
            self._link.close()
            self._process.wait()
        else:
            self._link.close()


_shared: ForkServer | None = None
_shared_lock = threading.Lock()


def fork_server() -> ForkServer:
    """The fork server of this process, started when first needed, and again if it has ended. Closed when the interpreter ends."""
    global _shared
    with _shared_lock:
        if _shared is None or not _shared.alive:
            _shared = ForkServer()
            atexit.register(_shared.close)
        return _shared
