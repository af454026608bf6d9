"""A small world for tests of the lanes: records, a configuration in memory, the lanes, and a sender who speaks ASGI."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from starlette.applications import Starlette

from kivuko.errors import RecordsUnavailable
from kivuko.records import Change, Id, Intent, ObjectFolder, Records, new_id, read_message_body
from kivuko.records.database import Database
from kivuko.records.tables import table_of
from kivuko.server.lanes.ingest import (
    WEBHOOK_KINDS,
    ConfigurationCache,
    Endings,
    Entrance,
    Examiner,
    Inbox,
    InboxLane,
    Rates,
    Receiving,
    Reception,
    Target,
    Webhook,
    WebhookLane,
    ingest_routes,
)
from kivuko.workflow.filters import read_filter

R = TypeVar("R")

JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@dataclass
class Source:
    """The configuration in memory. ``reads`` counts what was asked; while it is ``away`` nothing can be read."""

    inboxes: dict[str, Inbox] = field(default_factory=dict)
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)
    away: bool = False

    def read_inbox(self, secret: str) -> Inbox | None:
        """As the protocol says."""
        self._note(secret)
        return self.inboxes.get(secret)

    def read_webhook(self, address: str) -> Webhook | None:
        """As the protocol says."""
        self._note(address)
        return self.webhooks.get(address)

    def _note(self, asked: str) -> None:
        self.reads.append(asked)
        if self.away:
            raise RecordsUnavailable("the database is away")


class World:
    """One project with an inbox at ``inbox_url`` and a webhook at ``hook_url``. ``clock_s`` is the lanes' monotonic clock."""

    def __init__(self, database: Database, folder: Path, *, patience_s: float = 20.0, body_patience_s: float = 20.0) -> None:
        self.endings: Endings | None = None
        self.changes: list[Change] = []
        self.records = Records(database, ObjectFolder(folder / "objects"), on_change=self._heard)
        self.clock_s = 1000.0
        self.source = Source()
        self.project_id = new_id()
        self.runner = asyncio.Runner()
        self.examiner = Examiner()
        self.app = self.run(self._build(Receiving(folder, body_patience_s), patience_s))
        self.secret = str(uuid.uuid4())
        self.inbox_url = f"/inbox/{self.secret}"
        self.configure(inbox=Inbox(new_id(), Entrance(self.project_id)))
        self.trigger_id = new_id()
        self.hook_url = f"/i/{self.trigger_id}"
        self.configure(webhook=Webhook(Entrance(self.project_id, kinds=WEBHOOK_KINDS), replace(self.target(), trigger_id=self.trigger_id)))

    def __enter__(self) -> World:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.reception.close()
        self.records.close()
        self.runner.close()

    async def _build(self, receiving: Receiving, patience_s: float) -> Starlette:
        self.cache = ConfigurationCache(self.source, now_s=lambda: self.clock_s)
        self.reception = Reception(self.records, receiving=receiving, examiner=self.examiner, patience_s=patience_s)
        self.endings = Endings(self.records)
        rates = Rates(lambda: self.clock_s)
        inbox = InboxLane(self.cache, self.reception, self.endings, rates)
        return Starlette(routes=ingest_routes(inbox, WebhookLane(self.cache, self.reception, self.endings, rates)))

    def _heard(self, changes: Sequence[Change]) -> None:
        self.changes.extend(changes)
        if self.endings:
            self.endings.heard(changes)

    def run(self, coroutine: Coroutine[Any, Any, R]) -> R:
        """Runs something in the lanes' loop."""
        return self.runner.run(coroutine)

    def configure(self, *, inbox: Inbox | None = None, webhook: Webhook | None = None, address: str = "") -> None:
        """Puts an inbox or webhook in place, and says so to the cache."""
        if inbox:
            self.source.inboxes[address or self.secret] = inbox
        if webhook:
            self.source.webhooks[address or str(webhook.target.trigger_id)] = webhook
        self.cache.forget()

    @property
    def inbox(self) -> Inbox:
        """The inbox as it is configured."""
        return self.source.inboxes[self.secret]

    @property
    def webhook(self) -> Webhook:
        """The webhook as it is configured."""
        return self.source.webhooks[str(self.trigger_id)]

    def enter_inbox(self, *targets: Target, **changes: Any) -> None:
        """Changes the inbox's entrance, and its targets where some are named."""
        inbox = self.inbox
        self.configure(inbox=replace(inbox, entrance=replace(inbox.entrance, **changes), targets=targets or inbox.targets))

    def enter_hook(self, entrance: Mapping[str, Any] | None = None, **changes: Any) -> None:
        """Changes the webhook, and its entrance."""
        hook = self.webhook
        self.configure(webhook=replace(hook, entrance=replace(hook.entrance, **(entrance or {})), **changes))

    def target(self, inclusion: object = None, exclusion: object = None, *, name: str = "job", jobs: int = 1) -> Target:
        """A trigger with a filter."""
        ids = tuple(new_id() for _ in range(jobs))
        return Target(new_id(), new_id(), new_id(), ids, (name,), read_filter(inclusion, exclusion))

    def ask(self, method: str, path: str, *chunks: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """Sends one request; the body comes in these pieces."""
        return self.run(self.asking(method, path, *chunks, headers=headers))

    def post(self, path: str, body: object, headers: Mapping[str, str] | None = None) -> Answer:
        """Posts JSON, or bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("POST", path, content, headers={**JSON, **(headers or {})})

    async def asking(self, method: str, path: str, *chunks: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """The same, to be awaited."""
        name, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": name,
            "query_string": query.encode("latin-1"),
            "headers": [(key.encode("latin-1"), value.encode("latin-1")) for key, value in (headers or {}).items()],
            "client": ("192.0.2.7", 5000),
        }
        return await exchange(self.app, scope, chunks)

    def do(self, intent: Intent[R]) -> R:
        """Has something written."""
        return self.records.submit(intent).result(20)

    def rows(self, row: type[R]) -> list[R]:
        """All rows of a table, in key order."""
        table = table_of(row)
        names = ", ".join(column.name for column in table.columns)
        with self.records.reading() as connection:
            found = connection.query(f"SELECT {names} FROM {table.name} ORDER BY {', '.join(table.key)}")
        return [table.load(values) for values in found]

    def body_of(self, message_id: str) -> Any:
        """The stored JSON of a message."""
        with self.records.reading() as connection:
            return json.loads(read_message_body(connection, self.records.payloads, Id.parse(message_id), 1)[1])


async def exchange(app: Any, scope: Mapping[str, Any], chunks: Iterable[bytes]) -> Answer:
    """One request and its answer over ASGI. What comes after the last piece is a sender that waits for ever."""
    pieces = list(chunks) or [b""]
    events = [{"type": "http.request", "body": piece, "more_body": at < len(pieces) - 1} for at, piece in enumerate(pieces)]
    sent: list[Any] = []

    async def receive() -> Any:
        if not events:
            await asyncio.Event().wait()
        return events.pop(0)

    async def send(event: Any) -> None:
        sent.append(event)

    await app(scope, receive, send)
    headers = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], headers, b"".join(event.get("body", b"") for event in sent[1:]))
