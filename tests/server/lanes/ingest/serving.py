"""The lanes in a process of their own, that tests can kill and weigh: ``python serving.py <folder>`` prints its port."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType

import uvicorn
from starlette.applications import Starlette

from kivuko.records import Id, ObjectFolder, Records, database_at, new_id
from kivuko.server.lanes.ingest import (
    ConfigurationCache,
    Endings,
    Entrance,
    Inbox,
    InboxLane,
    Receiving,
    Reception,
    Target,
    Webhook,
    WebhookLane,
    ingest_routes,
)
from kivuko.workflow.filters import read_filter

SECRET = "01920000-0000-7000-8000-000000000001"
PROJECT = Id.parse("01920000-0000-7000-8000-000000000002")


class OneInbox:
    """An inbox with one trigger, for messages of the form "a"."""

    def __init__(self) -> None:
        target = Target(new_id(), new_id(), new_id(), (new_id(),), ("job",), read_filter({"form": "a"}))
        self._inbox = Inbox(new_id(), Entrance(PROJECT), (target,))

    def read_inbox(self, secret: str) -> Inbox | None:
        """The inbox."""
        return self._inbox if secret == SECRET else None

    def read_webhook(self, address: str) -> Webhook | None:
        """There is none."""
        return None


class Child:
    """The process, while it lives."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, __file__, str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.port = int(self._process.stdout.readline())
        self.url = f"/inbox/{SECRET}"

    def __enter__(self) -> Child:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.communicate("")

    def kill(self) -> None:
        """As the machine's power does, but for the disk's cache."""
        self._process.kill()
        self._process.communicate()

    @property
    def highest_memory_mb(self) -> float:
        """The most that it ever had in memory (proc(5), VmHWM)."""
        status = Path(f"/proc/{self._process.pid}/status").read_text("ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


async def serve(folder: Path) -> None:
    """Serves until standard input ends."""
    records = Records(database_at("", folder), ObjectFolder(folder / "objects"))
    cache, reception, endings = ConfigurationCache(OneInbox()), Reception(records, receiving=Receiving(folder)), Endings(records)
    app = Starlette(routes=ingest_routes(InboxLane(cache, reception, endings), WebhookLane(cache, reception, endings)))
    server = uvicorn.Server(uvicorn.Config(app, http="httptools", ws="none", lifespan="off", log_level="warning", access_log=False))
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    print(listening.getsockname()[1], flush=True)
    task = asyncio.create_task(server.serve([listening]))
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await task
    reception.close()
    records.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
