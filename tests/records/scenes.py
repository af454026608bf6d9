"""A small world for tests of the records: a project with workflows, a clock that is set by hand, and a writer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from kivuko.records.database import Connection, Database
from kivuko.records.handlers import handlers
from kivuko.records.ids import Id, new_id
from kivuko.records.ingest import Accepted, IdempotencyKey, Ingest
from kivuko.records.intents import Change, Intent
from kivuko.records.jobstates import job_result
from kivuko.records.payloads import Payloads
from kivuko.records.rows import JobState, Message, MessageVersion, Run
from kivuko.records.rules import Rules
from kivuko.records.starting import Start, new_start
from kivuko.records.states import Cause
from kivuko.records.tables import table_of
from kivuko.records.writer import Writer

R = TypeVar("R")

SECOND = 1_000_000


class Scene:
    """One project on one database. ``now_us`` is the clock: tests move it."""

    def __init__(self, database: Database, rules: Rules | None = None) -> None:
        self.database = database
        self.now_us = 1_795_000_000 * SECOND
        self.changes: list[Change] = []
        self.project_id, self.inbox_id = new_id(), new_id()
        self.writer = Writer(database, handlers(rules), on_commit=self.changes.extend, now_us=lambda: self.now_us)
        self.reader: Connection = database.connect()

    def close(self) -> None:
        """Ends the writer."""
        self.writer.close()
        self.reader.close()

    def do(self, intent: Intent[R]) -> R:
        """Submits and waits."""
        return self.writer.submit(intent).result(20)

    def after(self, seconds: float) -> None:
        """Moves the clock."""
        self.now_us += int(seconds * SECOND)

    def rows(self, row: type[R], where: str = "", *values: Any) -> list[R]:
        """All rows of a table, in key order."""
        table = table_of(row)
        names = ", ".join(column.name for column in table.columns)
        found = self.reader.query(f"SELECT {names} FROM {table.name} {where} ORDER BY {', '.join(table.key)}", *values)
        return [table.load(values) for values in found]

    def one(self, row: type[R], where: str = "", *values: Any) -> R:
        """The only row."""
        (found,) = self.rows(row, where, *values)
        return found

    def get(self, row: type[R], key: Id) -> R:
        """The row with this key."""
        return self.one(row, f"WHERE {table_of(row).key[0]} = ?", key)

    def message(self, starts: Sequence[Start] = (), *, body: bytes = b'{"a":1}', key: bytes | None = None) -> Ingest:
        """A request that starts something."""
        message = Message(new_id(), self.project_id, inbox_id=self.inbox_id, content_type="application/json", size_bytes=len(body))
        stored = Payloads().store(message.id, body)
        version = MessageVersion(
            message.id, 1, self.project_id, stored.encoding, stored.body, stored.object_key, stored.size_bytes, self.now_us
        )
        return Ingest(message, version, tuple(starts), IdempotencyKey(key, 60 * SECOND) if key else None)

    def start(self, *jobs: Id, workflow_id: Id | None = None, cause: Cause = Cause.MESSAGE, **queueing: Any) -> Start:
        """A start of a workflow whose trigger leads to these jobs (one, if none is named)."""
        return new_start(workflow_id or new_id(), new_id(), new_id(), cause, jobs or (new_id(),), **queueing)

    def accept(self, *starts: Start) -> Accepted:
        """A message that starts these."""
        return self.do(self.message(starts))

    def job_states(self) -> dict[tuple[Id, Id], JobState]:
        """All stored job-states."""
        return {(state.message_id, state.job_id): state for state in self.rows(JobState)}

    def calculated(self) -> dict[tuple[Id, Id], JobState]:
        """All job-states as requirements §3.7 calculates them, from the Runs alone."""
        latest: dict[tuple[Id, Id], Run] = {}
        for run in self.rows(Run):
            if run.message_id:
                pair = (run.message_id, run.job_id)
                latest[pair] = max([run, *([latest[pair]] if pair in latest else [])], key=_recency)
        return {
            pair: JobState(
                *pair,
                run.project_id,
                run.id,
                job_result(finished=run.finished_at is not None, exit_code=run.exit_code),
                run.finished_at,
                run.started_at,
            )
            for pair, run in latest.items()
        }


def _recency(run: Run) -> tuple[Any, ...]:
    return (run.finished_at is None, run.finished_at or 0, run.started_at is None, run.started_at or 0, run.id)
