"""A small world for tests of live pages: records that change, a lane, and readers that speak ASGI."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.requests import HTTPConnection
from starlette.routing import Router

from kivuko.records import (
    Cause,
    Claim,
    Claimed,
    EndAttempt,
    ExitReason,
    Id,
    Ingest,
    Intent,
    Line,
    Message,
    MessageVersion,
    Payloads,
    Records,
    StartAttempt,
    WriteLogs,
    new_id,
    new_start,
)
from kivuko.records.database import Database
from kivuko.server.changes import Changes
from kivuko.server.lanes.live import Admission, AttemptLog, Feed, LogTails, ProjectEvents, Streaming, live_routes
from server.asgi import Answer, asking, scope_of

R = TypeVar("R")
PATIENCE_S = 20.0


@dataclass
class Counts:
    """What the metrics would hear."""

    opened_: int = 0
    closed_: int = 0
    dropped_: int = 0

    def opened(self) -> None:
        """One more."""
        self.opened_ += 1

    def closed(self) -> None:
        """One less."""
        self.closed_ += 1

    def dropped(self) -> None:
        """One was too slow."""
        self.dropped_ += 1


@dataclass(frozen=True)
class Event:
    """A server-sent event, read; a comment has only that."""

    data: Any = None
    name: str = "message"
    event_id: str | None = None
    comment: str | None = None


class Reader:
    """An open stream. ``stalled`` makes it read no more."""

    def __init__(self, app: Any, path: str, headers: dict[str, str]) -> None:
        self.status = 0
        self.stalled = False
        self.ended = False
        self._texts: asyncio.Queue[bytes] = asyncio.Queue()
        self._left = asyncio.Event()
        self._unread = b""
        self.task = asyncio.create_task(app(scope_of("GET", path, headers), self._receive, self._send))

    async def _receive(self) -> Any:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        while self.stalled:
            await asyncio.Event().wait()
        self.ended = not message.get("more_body", False)
        await self._texts.put(message.get("body", b""))

    async def next(self) -> Event:
        """The next event or comment; an end of the stream is an event of the name "EOF"."""
        async with asyncio.timeout(PATIENCE_S):
            while b"\n\n" not in self._unread:
                if self.ended and self._texts.empty():
                    return Event(name="EOF")
                self._unread += await self._texts.get()
        text, _, self._unread = self._unread.partition(b"\n\n")
        if text.startswith(b"retry:"):
            return await self.next()
        return _read(text.decode())

    async def leave(self) -> None:
        """The browser closes the page."""
        self._left.set()
        async with asyncio.timeout(PATIENCE_S):
            await self.task


def _read(text: str) -> Event:
    if text.startswith(":"):
        return Event(comment=text[1:].strip())
    fields = dict(line.split(": ", 1) for line in text.split("\n"))
    return Event(json.loads(fields["data"]), fields.get("event", "message"), fields.get("id"))


@dataclass
class Theatre:
    """One project, seen by "ada" alone (Bearer ada, ticket "t" once)."""

    database: Database
    look_every_s: float = 0.05
    awake_every_s: float = 100.0
    check_every_s: float = 100.0
    send_within_s: float = 20.0
    project_id: Id = field(default_factory=new_id)
    members: set[str] = field(default_factory=lambda: {"ada"})
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        self.changes = Changes()
        self.records = Records(self.database, on_change=self.changes.heard)
        self._tickets = {"t": "ada"}
        self._runner = asyncio.Runner()
        self.run(self._build())

    async def _build(self) -> None:
        self.feed = Feed(self.records, on_dropped=self.counts.dropped, gathered_s=0.001)
        self.tails = LogTails(self.records, look_every_s=self.look_every_s)
        self.changes.subscribe(self.feed.heard)
        self.changes.subscribe(self.tails.heard)
        self.changes.on_gap(self.feed.missed)
        self.streaming = Streaming(self.counts, self.awake_every_s, self.check_every_s, self.send_within_s)
        admission = Admission(self._actor, lambda ticket: self._tickets.pop(ticket, None), self._may_see)
        events = ProjectEvents(admission, self.streaming, self.feed)
        self.app = Router(live_routes(events, AttemptLog(admission, self.streaming, self.records, self.tails)))

    async def _actor(self, request: HTTPConnection) -> str | None:
        return request.headers.get("authorization", "").removeprefix("Bearer ") or None

    async def _may_see(self, actor: str, project_id: Id) -> bool:
        return actor in self.members and project_id == self.project_id

    def run(self, coroutine: Coroutine[Any, Any, R]) -> R:
        """Runs something in the lane's loop."""
        return self._runner.run(coroutine)

    def close(self) -> None:
        """Ends it."""
        with suppress(RuntimeError):
            self._runner.close()
        self.records.close()

    def open(self, path: str, **headers: str) -> Reader:
        """A reader of a stream; inside the loop."""
        return Reader(self.app, path, {"authorization": "Bearer ada", **{name.replace("_", "-"): value for name, value in headers.items()}})

    def refused(self, method: str, path: str, **headers: str) -> Answer:
        """The answer to a request that is not let in."""
        return self.run(asking(self.app, scope_of(method, path, headers)))

    @property
    def events_path(self) -> str:
        """The stream of the project."""
        return f"/api/v1/projects/{self.project_id}/events"

    async def do(self, intent: Intent[R], *, bulk: bool = False) -> R:
        """Has something written, without holding the loop."""
        return await asyncio.to_thread(self.records.submit(intent, bulk=bulk).result, PATIENCE_S)

    async def accept(self, project_id: Id | None = None) -> tuple[Id, Id]:
        """A message that starts a job: the ids of message and Attempt."""
        message = Message(new_id(), project_id or self.project_id, new_id())
        stored = Payloads().store(message.id, b"{}")
        version = MessageVersion(message.id, 1, message.project_id, stored.encoding, stored.body, None, 2, inserted_at=0)
        start = new_start(new_id(), new_id(), new_id(), Cause.MESSAGE, (new_id(),))
        accepted = await self.do(Ingest(message, version, (start,), None))
        return message.id, accepted.started[0].attempt_id

    async def claim(self) -> Claimed:
        """A worker takes the next Attempt and begins."""
        (taken,) = await self.do(Claim(new_id(), 1))
        await self.do(StartAttempt(taken.attempt_id, taken.claim_number))
        return taken

    async def log(self, taken: Claimed, *messages: str) -> None:
        """Lines of the Attempt's log."""
        lines = tuple(Line(message, at_us=1_700_000_000_000_000) for message in messages)
        await self.do(WriteLogs(taken.attempt_id, taken.claim_number, lines), bulk=True)

    async def end(self, taken: Claimed) -> None:
        """The Attempt ends well."""
        await self.do(EndAttempt(taken.attempt_id, taken.claim_number, ExitReason.SUCCESS))


__all__ = ["Counts", "Event", "Reader", "Theatre"]
