"""How fast the inbox acknowledges: 2 kB JSON, durable before the answer, on SQLite (synchronous=FULL) and PostgreSQL (fsync on).

    python benchmarks/acknowledgements.py [sqlite|postgresql]… [--quick]
    python benchmarks/acknowledgements.py serve <address of a database>     (what the others start)

The server is a process of its own: its CPU is what the kernel says of it, the load generator's does not count.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import uvicorn
from starlette.applications import Starlette

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from figures import Figure, show
from kivuko.records import ObjectFolder, Records, database_at, new_id
from kivuko.server.lanes.ingest import (
    ConfigurationCache,
    Endings,
    Entrance,
    Inbox,
    InboxLane,
    Reception,
    Target,
    Webhook,
    WebhookLane,
    ingest_routes,
)
from kivuko.workflow.filters import read_filter
from records.own_postgresql import own_postgresql

__all__ = ["measure"]

BODY = b'{"form":"referral","patient":{"id":"' + bytes(range(48, 58)) * 196 + b'"}}'
SECRET = str(uuid.UUID(int=1))
REQUEST = (
    f"POST /inbox/{SECRET} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n".encode()
    + BODY
)


class OneInbox:
    """The configuration: one inbox, and of its ten triggers one that matches."""

    def __init__(self) -> None:
        targets = [Target(new_id(), new_id(), new_id(), (new_id(),), (f"job {at}",), read_filter({"form": at})) for at in range(9)]
        targets.append(Target(new_id(), new_id(), new_id(), (new_id(),), ("Referral",), read_filter({"form": "referral"})))
        self._inbox = Inbox(new_id(), Entrance(new_id()), tuple(targets))

    def read_inbox(self, secret: str) -> Inbox | None:
        """The inbox."""
        return self._inbox if secret == SECRET else None

    def read_webhook(self, address: str) -> Webhook | None:
        """There is none."""
        return None


async def serve(address: str, folder: Path) -> None:
    """Serves the lanes until standard input ends; prints the port first."""
    records = Records(database_at(address, folder), ObjectFolder(folder / "objects"))
    cache, reception, endings = ConfigurationCache(OneInbox()), Reception(records), Endings(records)
    app = Starlette(routes=ingest_routes(InboxLane(cache, reception, endings), WebhookLane(cache, reception, endings)))
    server = uvicorn.Server(uvicorn.Config(app, http="httptools", ws="none", lifespan="off", log_level="warning", access_log=False))
    # asyncio switches Nagle's algorithm off only where the protocol is named: else head and body of an answer are 40 ms apart.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(512)
    print(listening.getsockname()[1], flush=True)
    task = asyncio.create_task(server.serve([listening]))
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await task
    reception.close()
    records.close()


class Served:
    """The server as seen from here."""

    def __init__(self, address: str, folder: Path) -> None:
        self._command = [sys.executable, __file__, "serve", address, str(folder)]

    def __enter__(self) -> Served:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.pid, self.port = self._process.pid, int(self._process.stdout.readline())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.communicate("")


def cpu_ms(pid: int) -> float:
    """CPU that a process has used so far, user and system (proc(5); ticks of 10 ms)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


async def load(port: int, connections: int, count: int) -> list[float]:
    """Posts ``count`` messages over some connections; how long each answer took, in ms, sorted."""
    took: list[float] = []
    left = iter(range(count))

    async def sender() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in left:
            began = time.perf_counter()
            writer.write(REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 202"):
                raise SystemExit(head.decode())
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]))
            took.append((time.perf_counter() - began) * 1000)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(sender() for _ in range(connections)))
    return sorted(took)


@contextmanager
def address_of(kind: str) -> Iterator[str]:
    """The address of an empty database; a file in the data folder for SQLite."""
    if kind == "sqlite":
        yield ""
    else:
        with own_postgresql("-c shared_buffers=256MB -c max_wal_size=4GB") as server:
            words = dict(word.split("=", 1) for word in server.address.split())
            yield f"postgresql://{words['user']}@/{words['dbname']}?host={words['host']}"


def measure(folder: Path, *, quick: bool, kinds: tuple[str, ...] = ("sqlite", "postgresql")) -> list[Figure]:
    """Acknowledgements a second at 64 connections, CPU of the server for each, and the time of one alone."""
    figures = []
    for kind in kinds:
        data = folder / kind
        data.mkdir()
        with address_of(kind) as address, Served(address, data) as served:
            asyncio.run(load(served.port, 8, 40 if quick else 400))
            alone = asyncio.run(load(served.port, 1, 40 if quick else 500))
            count = 640 if quick else 20_000
            cpu, began = cpu_ms(served.pid), time.perf_counter()
            together = asyncio.run(load(served.port, 64, count))
            wall_s, cpu = time.perf_counter() - began, cpu_ms(served.pid) - cpu
        least = {"sqlite": 2500, "postgresql": 5000}[kind]
        p50 = alone[len(alone) // 2]
        figures += [
            Figure(f"{kind}: acknowledged, 64 connections", count / wall_s, "/s", target=f"≥ {least}", met=count / wall_s >= least),
            Figure(f"{kind}: server CPU for each", cpu / count * 1000, "µs"),
            Figure(f"{kind}: 64 connections, p50", together[count // 2], "ms"),
            Figure(f"{kind}: 64 connections, p99", together[int(count * 0.99)], "ms"),
            Figure(f"{kind}: 1 connection, p50", p50, "ms", target="≤ 5", met=p50 <= 5),
        ]
    return figures


def main() -> None:
    """Serves, or measures what is named."""
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(sys.argv[2], Path(sys.argv[3])))
        return
    words = sys.argv[1:]
    kinds = tuple(word for word in words if word in ("sqlite", "postgresql")) or ("sqlite", "postgresql")
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        show("Durable acknowledgement", measure(Path(folder), quick="--quick" in words, kinds=kinds))


if __name__ == "__main__":
    main()
