"""The index on disk: which places have which words. Everything in it can be built again from the records."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import pysqlite3.dbapi2 as sqlite3  # type: ignore[import-untyped]

from kivuko.errors import RecordsUnavailable
from kivuko.records.database import Connection, Database
from kivuko.records.ids import Id
from kivuko.records.search.entries import Entry, EntryKind, Place
from kivuko.records.search.statements import POSTGRESQL, SQLITE
from kivuko.records.search.words import Needle
from kivuko.records.sqlite import SqliteDatabase

__all__ = ["SearchIndex", "open_index"]

NEWEST = Id(b"\xff" * 16)
_MERGE_PAGES = 500
_ENTRIES_AT_ONCE = 128
_TSVECTOR_BYTES = 1_000_000
_LOCK = 27500


class SearchIndex:
    """One index, for any thread. ``database`` is the one that the index is kept in. All methods raise RecordsUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._text = SQLITE if database.dialect == "sqlite" else POSTGRESQL
        self._writer = _Line(database.connect)
        self._reader = _Line(database.connect_to_read)
        self._create()

    def add(self, entries: Sequence[Entry]) -> None:
        """Stores entries; one at a place that is there already replaces it."""
        by_place = {(entry.kind, entry.place.subject_id, entry.place.first): entry for entry in entries}
        ordered = list(by_place.values())
        with self._transaction() as connection:
            for first in range(0, len(ordered), _ENTRIES_AT_ONCE):
                together = ordered[first : first + _ENTRIES_AT_ONCE]
                if connection.dialect == "postgresql":
                    self._add_arrays(connection, together)
                else:
                    self._add_rows(connection, together)

    def replace_owner(self, kind: EntryKind, project_id: Id, owner_id: Id) -> None:
        """Takes out what a message or Attempt has, before it is indexed anew."""
        self._drop("of_owner", project_id, int(kind), owner_id)

    def places(self, kind: EntryKind, project_id: Id, owners: Sequence[Id]) -> set[tuple[Id, int]]:
        """What of these messages or Attempts is in the index: whose, and its version or first line."""
        with self._reader as connection:
            if connection.dialect == "postgresql":
                found = connection.query(self._text["places"], project_id, int(kind), list(owners))
            else:
                found = connection.query(f"{self._text['places']} ({_marks(len(owners))})", project_id, int(kind), *owners)
        return {(Id(owner_id), first) for owner_id, first in found}

    def purge(self, project_id: Id, kind: EntryKind, before: Id, at_most: int = 500) -> int:
        """Takes out what belongs to messages or Attempts older than this id, a batch; how many. Call it until it gives 0."""
        return self._drop("before", project_id, int(kind), before, at_most)

    def compact(self, *, begin: bool) -> bool:
        """Rewrites a little of the index, so that words that were taken out leave the file too; whether there is more to do.

        The first call says ``begin``, those after it do not.
        """
        if self._database.dialect != "sqlite":
            return False
        with self._transaction() as connection:
            ((before,),) = connection.query("SELECT total_changes()")
            connection.query(self._text["merge"], -_MERGE_PAGES if begin else _MERGE_PAGES)
            ((after,),) = connection.query("SELECT total_changes()")
            connection.query("PRAGMA incremental_vacuum(2000)")
        # FTS5 §6.8: a difference below 2 says that nothing was left to merge.
        if after - before >= 2:
            return True
        with self._writer as connection:
            connection.scrub()
        return False

    def find(self, kind: EntryKind, project_id: Id, needle: Needle, before: Place | None, at_most: int) -> list[Place]:
        """Places that have all the words, newest first, after ``before`` in that order."""
        subject, first = (before.subject_id, before.first) if before else (NEWEST, 0)
        with self._reader as connection:
            found = connection.query(self._text["find"], self._query(needle), project_id, int(kind), subject, subject, first, at_most)
        return [Place(Id(subject_id), Id(owner_id), first, last) for subject_id, owner_id, first, last in found]

    def mark(self, name: str) -> bytes:
        """How far a stream is indexed for good; empty at the beginning."""
        with self._reader as connection:
            found = connection.query(self._text["mark"], name)
        return bytes(found[0][0]) if found else b""

    def set_mark(self, name: str, mark: bytes) -> None:
        """Stores how far a stream is indexed."""
        with self._transaction() as connection:
            connection.query(self._text["set_mark"], name, bytes(mark))

    def clear(self) -> None:
        """Empties the index: the indexer begins anew."""
        with self._transaction() as connection:
            connection.script(self._text["drop"])
            connection.script(self._text["schema"])

    def close(self) -> None:
        """Closes the connections."""
        self._writer.close()
        self._reader.close()

    def _create(self) -> None:
        with self._transaction() as connection:
            if connection.dialect == "postgresql":
                connection.query("SELECT pg_advisory_xact_lock(?)", _LOCK)
            connection.script(self._text["schema"])

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._writer as connection:
            connection.begin()
            try:
                yield connection
                connection.commit()
            finally:
                connection.rollback()

    def _add_arrays(self, connection: Connection, entries: Sequence[Entry]) -> None:
        rows = [(*_columns(entry), " ".join(_bounded(entry.words))) for entry in entries]
        connection.query(self._text["add"], *map(list, zip(*rows, strict=True)))

    def _add_rows(self, connection: Connection, entries: Sequence[Entry]) -> None:
        """In two statements for all: each statement gives the interpreter's lock away and waits for it under load."""
        keys = [key for entry in entries for key in (int(entry.kind), entry.place.subject_id, entry.place.first)]
        for (number,) in connection.query(f"{self._text['known']} (VALUES {_rows_of_marks(len(entries), 3)})", *keys):
            self._drop_one(connection, number)
        ((last,),) = connection.query(self._text["last"])
        numbered = list(enumerate(entries, last + 1))
        values = [value for number, entry in numbered for value in (number, *_columns(entry))]
        connection.query(f"{self._text['add']} {_rows_of_marks(len(entries), 7)}", *values)
        words = [value for number, entry in numbered for value in (number, " ".join(entry.words))]
        connection.query(f"{self._text['add_words']} {_rows_of_marks(len(entries), 2)}", *words)

    def _drop(self, statement: str, *values: Any) -> int:
        with self._transaction() as connection:
            found = connection.query(self._text[statement], *values)
            for (number,) in found:
                self._drop_one(connection, number)
        return len(found)

    def _drop_one(self, connection: Connection, number: int) -> None:
        if connection.dialect == "sqlite":
            connection.query(self._text["drop_words"], number)
        connection.query(self._text["drop_entry"], number)

    def _query(self, needle: Needle) -> str:
        """All words, the last one as a beginning: words have no quotes, so nothing needs to be escaped."""
        quote, both, beginning = ('"', " AND ", "*") if self._database.dialect == "sqlite" else ("'", " & ", ":*")
        words = [f"{quote}{word}{quote}" for word in needle.words]
        if needle.beginning is not None:
            words.append(f"{quote}{needle.beginning}{quote}{beginning}")
        return both.join(words)


def _columns(entry: Entry) -> tuple[int, Id, Id, Id, int, int]:
    place = entry.place
    return int(entry.kind), entry.project_id, place.subject_id, place.owner_id, place.first, place.last


def _bounded(words: Iterable[str]) -> Iterator[str]:
    """As many words as a tsvector can hold: PostgreSQL 15 does not check that, and finds nothing beyond."""
    left = _TSVECTOR_BYTES
    for word in words:
        left -= len(word.encode())
        if left < 0:
            return
        yield word


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _rows_of_marks(rows: int, columns: int) -> str:
    return ", ".join([f"({_marks(columns)})"] * rows)


class _Line:
    """A connection that one thread has at a time; after an error the next one gets a new one."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._turn = threading.Lock()
        self._connection: Connection | None = None

    def __enter__(self) -> Connection:
        self._turn.acquire()
        connected = False
        try:
            self._connection = self._connection or self._connect()
            connected = True
        finally:
            if not connected:
                self._turn.release()
        return self._connection

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if error is not None:
                self._hang_up()
        finally:
            self._turn.release()

    def close(self) -> None:
        with self._turn:
            self._hang_up()

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def open_index(database: Database) -> SearchIndex:
    """The index beside the records of ``database``: in ``search.db`` in the same folder, or in tables of the same PostgreSQL.

    A ``search.db`` that cannot be read is begun anew: it holds nothing that the records do not.
    """
    if not isinstance(database, SqliteDatabase):
        return SearchIndex(database)
    path = database.path.with_name("search.db")
    try:
        return SearchIndex(SqliteDatabase(path))
    except RecordsUnavailable as error:
        if getattr(error.__cause__, "sqlite_errorcode", None) not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)
        return SearchIndex(SqliteDatabase(path))
