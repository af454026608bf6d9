"""Opening the records of a server: the database that an address names, its schema, the writer, the object store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from kivuko.errors import InputError
from kivuko.records.database import Connection, Database
from kivuko.records.handlers import handlers
from kivuko.records.intents import Change, Intent
from kivuko.records.payloads import ObjectStore, Payloads
from kivuko.records.postgresql import PostgresqlDatabase, check_address
from kivuko.records.rules import Rules
from kivuko.records.schema import apply_schema
from kivuko.records.sqlite import SqliteDatabase
from kivuko.records.writer import Committed, Writer

__all__ = ["Records", "database_at"]

R = TypeVar("R")


def database_at(address: str, data_folder: Path) -> Database:
    """The database that an address names: ``postgresql://…``, ``sqlite:///path``, or "" for the file in the data folder.

    Raises InputError for another kind, and for an address that cannot be read.
    """
    if not address:
        return SqliteDatabase(data_folder / "kivuko.db")
    kind, _, rest = address.partition("://")
    if kind in ("postgresql", "postgres"):
        check_address(address)
        return PostgresqlDatabase(address)
    if kind == "sqlite":
        # As everywhere: sqlite:///here.db is relative, sqlite:////srv/here.db is absolute.
        return SqliteDatabase(Path(rest.removeprefix("/")))
    # Of an address that cannot be taken apart nothing is shown: it may hold a password.
    named = f"{kind}://…" if rest else "the address of the database"
    raise InputError(f"{named} is no kind of database that Kivuko knows", fix="Write postgresql://… or sqlite:///path.")


class Records:
    """The execution records: hands intents to the writer, lends connections to read.

    ``on_change`` hears what changed after each commit, on a writer's thread: it must be quick and may not raise.
    """

    def __init__(
        self,
        database: Database,
        objects: ObjectStore | None = None,
        *,
        rules: Rules | None = None,
        on_change: Callable[[Sequence[Change]], None] = lambda changes: None,
    ) -> None:
        connection = database.connect()
        apply_schema(connection)
        connection.close()
        self.database = database
        self.payloads = Payloads(objects)
        self._objects = objects
        self._on_change = on_change
        self._readers: list[Connection] = []
        self._guard = threading.Lock()
        self._writer = Writer(database, handlers(rules), on_commit=self._committed)

    @property
    def problem(self) -> str:
        """Why nothing can be written just now; empty when all is well."""
        return self._writer.problem

    @property
    def backlog(self) -> int:
        """How many intents wait to be written."""
        return self._writer.backlog

    @property
    def committed(self) -> Committed:
        """What was written since the start, and in how many transactions."""
        return self._writer.committed

    @property
    def quiet_s(self) -> float:
        """How long nobody has waited for anything to be written, in seconds; infinite before the first."""
        return self._writer.quiet_s

    @property
    def objects(self) -> ObjectStore | None:
        """Where large bodies are; None where all are in their rows."""
        return self._objects

    def submit(self, intent: Intent[R], *, bulk: bool = False) -> Future[R]:
        """Hands over an intent; its future gives the result when that is durable. Raises RecordsUnavailable when closed."""
        return self._writer.submit(intent, bulk=bulk)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lends a connection that cannot write; one that failed is not lent again. Raises RecordsUnavailable."""
        with self._guard:
            connection = self._readers.pop() if self._readers else None
        connection = connection or self.database.connect_to_read()
        healthy = False
        try:
            yield connection
            healthy = True
        finally:
            if healthy:
                with self._guard:
                    self._readers.append(connection)
            else:
                connection.close()

    def close(self) -> None:
        """Writes what waits and closes all connections."""
        self._writer.close()
        while self._readers:
            self._readers.pop().close()

    def _committed(self, changes: Sequence[Change]) -> None:
        wiped = [change.id for change in changes if change.kind == "object_wiped"]
        if wiped and self._objects:
            # What cannot be deleted now is swept later.
            with suppress(OSError):
                self._objects.delete(wiped)
        self._on_change(changes)
