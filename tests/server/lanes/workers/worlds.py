"""A small world for tests of the lane: records, workflows in memory, a desk, and workers that speak the protocol's words."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from kivuko.errors import ObjectMissing
from kivuko.platform.execution import Limits, RunTokens
from kivuko.platform.workflows.document import EdgeDocument, JobDocument, TriggerDocument, WorkflowDocument
from kivuko.records import (
    Accepted,
    Attempt,
    AttemptState,
    Cause,
    Change,
    Dataclip,
    DataclipKind,
    Id,
    Ingest,
    Input,
    Intent,
    LogLine,
    Message,
    MessageVersion,
    Origin,
    Records,
    Rules,
    Run,
    Started,
    StartWork,
    new_id,
    new_start,
    read_dataclip,
)
from kivuko.records.database import Database
from kivuko.records.tables import table_of
from kivuko.server.lanes.workers import QUEUE, Conversation, Desk, Identity, Reply, Services
from records.own_sqlite import empty_sqlite

R = TypeVar("R")

GOOD, BAD = Id(b"good-credential!"), Id(b"bad--credential!")
CREDENTIAL = {"user": "u", "password": "s3cret"}


@cache
def private_key() -> str:
    """One key pair for all tests: making one takes long."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@dataclass
class Shelf:
    """Workflows and credentials in memory. ``forgets`` makes them an erasing project's; ``kept`` are jobs whose output is kept then."""

    documents: dict[Id, WorkflowDocument] = field(default_factory=dict)
    credentials: dict[Id, Mapping[str, object]] = field(default_factory=lambda: {GOOD: CREDENTIAL})
    forgets: bool = False
    kept: set[Id | None] = field(default_factory=set)

    def document(self, snapshot_id: Id) -> WorkflowDocument:
        """The workflow of a snapshot."""
        try:
            return self.documents[snapshot_id]
        except KeyError:
            raise ObjectMissing() from None

    def credential(self, credential_id: Id, project_id: Id) -> Mapping[str, object]:
        """A credential's body."""
        try:
            return self.credentials[credential_id]
        except KeyError:
            raise ObjectMissing() from None

    def keeps_output(self, project_id: Id, workflow_id: Id, job_id: Id | None) -> bool:
        """Whether it is stored."""
        return not self.forgets or job_id in self.kept


def chain(*names: str, conditions: Sequence[str] = (), **fields: Any) -> WorkflowDocument:
    """A workflow of jobs one after the other behind a message trigger; ``conditions`` of the edges between jobs."""
    trigger = TriggerDocument(new_id(), "message", enabled=True)
    jobs = tuple(JobDocument(new_id(), name, "fn(s => s)", "@openfn/language-common@3.2.3") for name in names)
    first = EdgeDocument(new_id(), jobs[0].id, source_trigger_id=trigger.id)
    words = [*conditions, *["always"] * len(jobs)]
    later = [
        EdgeDocument(new_id(), target.id, source_job_id=source.id, condition_type=word)
        for source, target, word in zip(jobs, jobs[1:], words, strict=False)
    ]
    return WorkflowDocument(new_id(), new_id(), "wf", True, triggers=(trigger,), jobs=jobs, edges=(first, *later), **fields)


class Speaker:
    """A worker: says things and waits for the answers. ``heard`` is what the server pushed: topic, event, payload, join_ref."""

    def __init__(self, desk: Desk, name: str = "w1", *, foreign: bool = False, inline: bool = True) -> None:
        self.heard: list[tuple[str, str, Mapping[str, object], str | None]] = []
        self.on_push: Callable[[], None] = lambda: None
        self.foreign = foreign
        self.conversation = Conversation(desk, self._hear, Identity(name), inline=inline)
        self._ref = 5

    def _hear(self, topic: str, event: str, payload: Mapping[str, object], join_ref: str | None = None) -> None:
        self.heard.append((topic, event, payload, join_ref))
        self.on_push()

    def push(self, topic: str, event: str, payload: Mapping[str, object] | None = None, ref: str | None = None) -> Future[Reply]:
        """Says something."""
        return self.conversation.receive(topic, ref, event, payload or {})

    def say(self, topic: str, event: str, payload: Mapping[str, object] | None = None, ref: str | None = None) -> Reply:
        """Says something and waits for the answer."""
        return self.push(topic, event, payload, ref).result(20)

    def do(self, topic: str, event: str, payload: Mapping[str, object] | None = None, ref: str | None = None) -> Any:
        """Says something that goes well; the response."""
        reply = self.say(topic, event, payload, ref)
        assert reply.status == "ok", reply.response
        return reply.response

    def enter(self, capacity: int = 5, ref: str | None = "6") -> Any:
        """Joins the queue."""
        own = {} if self.foreign else {"kivuko": 1, "kinds": ["javascript"], "version": "1", "name": "tester"}
        return self.do(QUEUE, "phx_join", {"capacity": capacity, "queues": {"manual>*": capacity}, **own}, ref)

    def claim(self, demand: int = 1) -> list[dict[str, Any]]:
        """Claims."""
        found: list[dict[str, Any]] = self.do(QUEUE, "claim", {"demand": demand, "queues": ["manual", "*"], "worker_name": None})["runs"]
        return found

    def join(self, run: Mapping[str, Any], ref: str | None = "10") -> Any:
        """Joins the topic of an Attempt."""
        return self.do(f"run:{run['id']}", "phx_join", {"token": run["token"]}, ref)

    def take(self) -> str:
        """Claims one Attempt and joins it; its topic."""
        (run,) = self.claim()
        self.join(run)
        return f"run:{run['id']}"

    def pushed(self, event: str) -> list[str]:
        """Topics on which the server pushed this event."""
        return [topic for topic, name, _, _ in self.heard if name == event]


@contextmanager
def world_in(folder: Path) -> Iterator[World]:
    """Records on SQLite in a folder, with a desk."""
    with World(empty_sqlite(folder)) as opened:
        yield opened


class World:
    """Records with a desk. ``now_s`` is the desk's clock, set by hand."""

    def __init__(self, database: Database, rules: Rules | None = None, limits: Limits | None = None) -> None:
        self.shelf = Shelf()
        self.changes: list[Change] = []
        self.now_s = 1000.0
        self.records = Records(database, rules=rules, on_change=self._changed)
        self.tokens = RunTokens(private_key())
        self.services = Services(self.records, self.shelf, self.tokens, limits or Limits())
        self.desk = Desk(self.services, monotonic_s=lambda: self.now_s)

    def _changed(self, changes: Sequence[Change]) -> None:
        self.changes.extend(changes)
        self.desk.heard(changes)

    def __enter__(self) -> World:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.desk.close()
        self.records.close()

    def worker(self, name: str = "w1", *, foreign: bool = False, capacity: int = 5, inline: bool = True) -> Speaker:
        """A worker that has joined the queue."""
        speaker = Speaker(self.desk, name, foreign=foreign, inline=inline)
        speaker.enter(capacity)
        return speaker

    def do(self, intent: Intent[R]) -> R:
        """Writes something."""
        return self.records.submit(intent).result(20)

    def keep(self, document: WorkflowDocument) -> Id:
        """Puts a workflow on the shelf; the id of its snapshot."""
        snapshot_id = new_id()
        self.shelf.documents[snapshot_id] = document
        return snapshot_id

    def send(self, document: WorkflowDocument, body: bytes = b'{"a":1}', *, snapshot_id: Id | None = None, **queueing: Any) -> Started:
        """A message for the first trigger of a workflow."""
        message = Message(new_id(), document.project_id, inbox_id=new_id(), request=b'{"method":"POST"}', size_bytes=len(body))
        stored = self.records.payloads.store(message.id, body)
        version = MessageVersion(message.id, 1, document.project_id, stored.encoding, stored.body, stored.object_key, stored.size_bytes, 1)
        trigger = document.triggers[0]
        jobs = [edge.target_job_id for edge in document.open_edges_from(trigger.id) if edge.condition_type == "always"]
        start = new_start(
            document.id, snapshot_id or self.keep(document), trigger.id, Cause.MESSAGE, jobs, trigger_id=trigger.id, **queueing
        )
        accepted: Accepted = self.do(Ingest(message, version, (start,)))
        return accepted.started[0]

    def begin(
        self,
        document: WorkflowDocument,
        given: Input | None = None,
        *,
        cause: Cause = Cause.MANUAL,
        node: Id | None = None,
        body: bytes | None = None,
        parent_run_id: Id | None = None,
        options: bytes | None = None,
    ) -> Started:
        """Starts a workflow at a node (its first trigger if none is named) on an input, or on ``body`` as a saved input."""
        at = node or document.triggers[0].id
        is_job = document.job(at) is not None
        jobs = [at] if is_job else [edge.target_job_id for edge in document.open_edges_from(at) if edge.condition_type == "always"]
        saved = None
        if body is not None:
            clip_id = new_id()
            stored = self.records.payloads.store(clip_id, body)
            saved = Dataclip(
                clip_id,
                document.project_id,
                DataclipKind.SAVED_INPUT,
                None,
                None,
                stored.encoding,
                stored.body,
                stored.object_key,
                stored.size_bytes,
            )
            given = Input(dataclip_id=clip_id)
        start = new_start(document.id, self.keep(document), at, cause, jobs, trigger_id=None if is_job else at, options=options)
        intent = StartWork(start, Origin(document.project_id, parent_run_id), given or Input(), guard_us=0, saved_input=saved)
        started = self.do(intent)
        assert isinstance(started, Started)
        return started

    def wipe(self, started: Started) -> None:
        """Takes away the dataclip that a work order is about, as retention does."""
        connection = self.records.database.connect()
        connection.begin()
        given = "SELECT dataclip_id FROM work_order WHERE id = ?"
        connection.query(f"UPDATE dataclip SET body = NULL, wiped_at = 1 WHERE id = ({given}) RETURNING id", started.work_order_id)
        connection.commit()
        connection.close()

    # What is stored

    def rows(self, row: type[R], where: str = "", *values: Any) -> list[R]:
        """Rows of a table, in key order."""
        table = table_of(row)
        names = ", ".join(column.name for column in table.columns)
        with self.records.reading() as connection:
            found = connection.query(f"SELECT {names} FROM {table.name} {where} ORDER BY {', '.join(table.key)}", *values)
            return [table.load(each) for each in found]

    def attempt(self, attempt_id: Id) -> Attempt:
        """An Attempt."""
        (found,) = self.rows(Attempt, "WHERE id = ?", attempt_id)
        return found

    def rows_in_state(self, state: AttemptState) -> list[Attempt]:
        """Attempts in a state."""
        return self.rows(Attempt, "WHERE state = ?", int(state))

    def runs(self, attempt_id: Id) -> list[Run]:
        """Its Runs, oldest first."""
        return self.rows(Run, "WHERE attempt_id = ?", attempt_id)

    def lines(self, attempt_id: Id) -> list[LogLine]:
        """Its log."""
        return self.rows(LogLine, "WHERE attempt_id = ?", attempt_id)

    def clip(self, dataclip_id: Id | None) -> bytes | None:
        """The body of a dataclip."""
        if dataclip_id is None:
            return None
        with self.records.reading() as connection:
            return read_dataclip(connection, self.records.payloads, dataclip_id)

    def until(self, holds: Callable[[], bool]) -> None:
        """Waits until something holds."""
        deadline = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < deadline, "it did not come true within 20 s"
            time.sleep(0.005)  # paced: polls with a deadline

    def until_state(self, attempt_id: Id, state: AttemptState) -> None:
        """Waits for an Attempt's state."""
        self.until(lambda: self.attempt(attempt_id).state is state)
