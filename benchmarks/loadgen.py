"""A load generator of little weight: posts one request over and over on open connections, and says how long the answers took.

    python benchmarks/loadgen.py <url> <connections> <requests> <file with the body>        (prints JSON: seconds, latencies in ms)

A process of its own, so that neither its CPU nor its turns count for the server's.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["Load", "post_many"]


@dataclass(frozen=True)
class Load:
    """What a load came to: ``seconds`` from the first request to the last answer, and each answer's time in ms, sorted."""

    seconds: float
    took_ms: list[float]

    def at(self, share: float) -> float:
        """The time that this share of the answers did not exceed."""
        return self.took_ms[min(int(len(self.took_ms) * share), len(self.took_ms) - 1)]


def post_many(url: str, connections: int, count: int, body: bytes) -> Load:
    """Posts ``count`` times from another process. Raises RuntimeError when an answer is not of the 200s."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        command = [sys.executable, __file__, url, str(connections), str(count), file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return Load(**json.loads(done.stdout))


class _Sender(asyncio.Protocol):
    """One connection: the next request goes out when the answer to the last one is complete."""

    def __init__(self, work: _Work) -> None:
        self._work = work
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head_end = self._received.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self._received[:head_end].lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r")[0])
        if len(self._received) < head_end + 4 + length:
            return
        if head[9:10] != b"2":
            self._work.fail(self._received)
            return
        self._work.took_ms.append((time.perf_counter() - self._began) * 1000)
        self._received = b""
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._work.ended(self)

    def _send(self) -> None:
        if self._work.left <= 0:
            self._transport.close()
            return
        self._work.left -= 1
        self._began = time.perf_counter()
        self._transport.write(self._work.request)


class _Work:
    def __init__(self, request: bytes, count: int, connections: int) -> None:
        self.request, self.left = request, count
        self.took_ms: list[float] = []
        self.failure = b""
        self._open = connections
        self.over = asyncio.Event()

    def ended(self, sender: _Sender) -> None:
        self._open -= 1
        if not self._open:
            self.over.set()

    def fail(self, answer: bytes) -> None:
        self.failure = answer
        self.over.set()


async def _post(url: str, connections: int, count: int, body: bytes) -> Load:
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    work = _Work(head.encode() + body, count, connections)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    await asyncio.gather(*(loop.create_connection(lambda: _Sender(work), parts.hostname, parts.port) for _ in range(connections)))
    await work.over.wait()
    if work.failure or len(work.took_ms) != count:
        raise SystemExit(f"{len(work.took_ms)} of {count} were answered; {work.failure.decode('latin-1')}")
    return Load(time.perf_counter() - began, sorted(work.took_ms))


def main() -> None:
    """Posts as the command line says."""
    url, connections, count, file = sys.argv[1:]
    found = asyncio.run(_post(url, int(connections), int(count), Path(file).read_bytes()))
    print(json.dumps({"seconds": found.seconds, "took_ms": [round(each, 3) for each in found.took_ms]}))


if __name__ == "__main__":
    main()
