"""A worker as a process of its own: until a signal, with its small HTTP for whoever watches processes (worker-protocol §12)."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType

from kivuko import __version__
from kivuko.worker.environment import RemoteWorker
from kivuko.worker.link_websocket import ServerAddress, WebsocketLink
from kivuko.worker.worker import Worker

__all__ = ["Signals", "run_worker"]

_KILLED = 130


def run_worker(remote: RemoteWorker, say: Callable[[str], None]) -> int:
    """Works until SIGTERM or SIGINT, then drains; a second signal ends at once. Gives 0, or 1 when work had to be given up.

    Raises InputError for an address that is none, OSError for a port that is taken.
    """
    link = WebsocketLink(ServerAddress(remote.url, remote.worker_id, remote.secret, __version__))
    worker = Worker(remote.settings, link)
    signals = Signals(signal.SIGTERM, signal.SIGINT)
    health = _Health(remote.port, worker) if remote.port is not None else None
    worker.start()
    loops = " ".join(str(loop) for loop in remote.settings.workloops)
    say(f"Worker {remote.worker_id} takes work from {remote.url} ({loops}; Ctrl-C ends it)")
    signals.wait()
    say(f"Stopping: waiting up to {remote.grace_s:g} s for {worker.busy} attempts under way")
    complete = worker.stop(remote.grace_s)
    if health is not None:
        health.close()
    return 0 if complete else 1


class Signals:
    """Hears signals, in the main thread: the first one ends ``wait``, a second one the process."""

    def __init__(self, *numbers: signal.Signals) -> None:
        # A Python handler may come in the middle of a wait (an Event would lock itself out) or just before it (and be late):
        # the byte that the interpreter writes at once is there either way.
        self._reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        self._asked = False
        for number in numbers:
            signal.signal(number, self._handle)

    def wait(self) -> int:
        """The number of the first signal, as soon as there is one."""
        return os.read(self._reader, 1)[0]

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            os._exit(_KILLED)  # the hosts die with us
        self._asked = True


class _Health:
    """Answers ``GET /`` and ``/livez`` with 200; ``/readyz`` with 503 while there is no connection."""

    def __init__(self, port: int, worker: Worker) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                known = self.path in ("/", "/livez", "/readyz")
                ready = self.path != "/readyz" or worker.ready
                self._answer((200 if ready else 503) if known else 404, b"ready" if ready else b"not connected")

            def _answer(self, status: int, text: bytes) -> None:
                self.send_response(status)
                self.send_header("content-type", "text/plain")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_request(self, code: object = "-", size: object = "-") -> None:
                """Nobody wants a line for each look."""

        self._server = ThreadingHTTPServer(("", port), Handler)
        threading.Thread(target=self._server.serve_forever, name="worker-health", daemon=True).start()

    def close(self) -> None:
        """Frees the port."""
        self._server.shutdown()
        self._server.server_close()
