"""The target system: a loopback server that notes every effect of a job, with the moment, and takes its time to answer."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

__all__ = ["TargetSystem"]


class TargetSystem:
    """``effects`` are the moments (µs since 1970) at which (job, number) arrived. ``slowest_s`` bounds how long an answer takes."""

    def __init__(self, seed: int, host: str = "127.0.0.1", slowest_s: float = 0.3) -> None:
        self.effects: dict[tuple[str, int], list[int]] = defaultdict(list)
        self._guard = threading.Lock()
        self._random = random.Random(seed)
        self._slowest_s = slowest_s
        self._server = _Server((host, 0), _Handler)
        self._server.system = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.url = f"http://{host}:{self._server.server_port}"

    def __enter__(self) -> TargetSystem:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, job: str, number: int) -> float:
        """Notes an effect; how long its answer is to take, in seconds."""
        with self._guard:
            self.effects[job, number].append(time.time_ns() // 1000)
            return self._random.random() * self._slowest_s


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    system: TargetSystem


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        time.sleep(self.server.system.take(body["job"], body["number"]))  # paced: the work of the target system
        self.send_response(201)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that is overridden
        """Says nothing."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            # Whoever asked was killed meanwhile.
            self.close_connection = True
