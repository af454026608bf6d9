"""The records on SQLite: WAL, every commit synced, one writer at a time.

pysqlite3 brings SQLite 3.53; Debian 12's 3.40 can corrupt a database when the WAL is reset (3.7.0–3.51.2, fixed in 3.51.3).
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pysqlite3.dbapi2 as sqlite3  # type: ignore[import-untyped]

from kivuko.errors import RecordsUnavailable
from kivuko.records.bulk import folded, write_statement
from kivuko.records.database import Asked, Conflict, Connection
from kivuko.records.ids import Id
from kivuko.records.statements import Dialect, named
from kivuko.records.tables import TABLES, table_of
from kivuko.records.turns import FifoLock, turns_at

__all__ = ["SqliteConnection", "SqliteDatabase", "let_space_be_given_back"]

R = TypeVar("R")

OLDEST_SAFE = (3, 51, 3)
_LIST = re.compile(r"= ANY\(:([a-z_]+)\)")
# A parameter that is not exactly an int, float or str is looked up for an adapter, and without one two attributes of it as well: 0.9 µs
# each, for None and bytes too. These adapters change nothing and cost a fifth.
sqlite3.register_adapter(type(None), {}.get)
for _bytes in (bytes, Id):
    sqlite3.register_adapter(_bytes, bytes.__bytes__)
for _enumeration in {column.type for table in TABLES.values() for column in table.columns if column.is_enumeration}:
    sqlite3.register_adapter(_enumeration, int.__int__)

_BUSY_TIMEOUT_S = 20
_ROWS_AT_ONCE = 64
_INCREMENTAL = 2
_PRAGMAS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 4000;
PRAGMA secure_delete = ON;
PRAGMA foreign_keys = ON;
PRAGMA cache_size = -65536;
PRAGMA mmap_size = 0;
PRAGMA temp_store = MEMORY;
"""


class SqliteDatabase:
    """A database file. ``turns`` is the lock that everyone in the process who writes to the file takes first: the file's own."""

    dialect: Dialect = "sqlite"
    alone_apart = False

    def __init__(self, path: Path, *, turns: FifoLock | None = None) -> None:
        if sqlite3.sqlite_version_info < OLDEST_SAFE:
            raise RecordsUnavailable(
                f"SQLite {sqlite3.sqlite_version} can corrupt a database", fix="Install Kivuko's own: pip install 'pysqlite3>=0.6.1'."
            )
        self.path = path
        self.turns = turns or turns_at(path)

    @property
    def writing_here(self) -> bool:
        """Whether the calling thread has the turn to write."""
        return self.turns.held_here

    def connect(self) -> Connection:
        """A connection that may write; creates the file. Raises RecordsUnavailable."""
        return SqliteConnection(_open(self.path.absolute().as_uri(), self.path, _PRAGMAS, writes=True), self.turns)

    def connect_to_read(self) -> Connection:
        """A connection that cannot write. Raises RecordsUnavailable, also when the file does not exist."""
        pragmas = "PRAGMA query_only = ON; PRAGMA cache_size = -16384;"
        return SqliteConnection(_open(f"{self.path.absolute().as_uri()}?mode=ro", self.path, pragmas), self.turns)


class SqliteConnection:
    """One connection; see ``records.database.Connection``."""

    dialect: Dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection, turns: FifoLock) -> None:
        self._connection = connection
        self._turns = turns

    def begin(self) -> None:
        """Takes the process's turn, then the file's write lock."""
        self._turns.acquire()
        try:
            self._execute("BEGIN IMMEDIATE")
        finally:
            if not self._connection.in_transaction:
                self._turns.release()

    def commit(self) -> None:
        """Commits; the WAL is synced before this returns."""
        self._execute("COMMIT")
        self._turns.release()

    def rollback(self) -> None:
        """Undoes the transaction and gives the turn back."""
        try:
            if self._connection.in_transaction:
                self._execute("ROLLBACK")
        finally:
            if self._turns.held_here:
                self._turns.release()

    def fetch(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """All rows of the named statement."""
        found: list[tuple[Any, ...]] = self._named(statement, values).fetchall()
        return found

    def load(self, row: type[R], statement: str, **values: Any) -> list[R]:
        """Typed rows of the named statement."""
        load = table_of(row).load
        return [load(found) for found in self._named(statement, values)]

    def together(self, *asked: Asked) -> list[list[Any]]:
        """The rows of several statements, one after the other: there is nothing to wait for."""
        return [
            self.load(each.row, each.statement, **each.values) if each.row else self.fetch(each.statement, **each.values) for each in asked
        ]

    def change(self, statement: str, **values: Any) -> None:
        """Executes the named statement."""
        self._named(statement, values)

    def changed(self, statement: str, **values: Any) -> int:
        """Executes the named statement; rows changed."""
        return int(self._named(statement, values).rowcount)

    def write(self, rows: Iterable[Any], conflict: Conflict = Conflict.KEEP) -> None:
        """Inserts rows of one class."""
        batch = folded(rows)
        if batch is not None:
            table, listed = batch
            values = [table.values(row) for row in listed]
            for first, count in _portions(len(values)):
                together = [value for row in values[first : first + count] for value in row]
                self._execute(write_statement(table, conflict, "sqlite", count), together)

    def write_all(self, batches: Iterable[tuple[Iterable[Any], Conflict]]) -> None:
        """Inserts rows of several classes, one after the other."""
        for rows, conflict in batches:
            self.write(rows, conflict)

    def scrub(self) -> None:
        """Copies the WAL into the file and cuts it off. A reader that is still at an older state is waited for shortly: the next scrub
        makes up for it.
        """
        self._execute("PRAGMA busy_timeout = 200")
        self._execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self._execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_S * 1000}")

    def now_us(self) -> int:
        """The clock of this machine: SQLite is on it."""
        return time.time_ns() // 1000

    def script(self, text: str) -> None:
        """Executes the statements one by one: executescript would commit the open transaction."""
        for statement in _statements_in(text):
            self._execute(statement)

    def query(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """Executes one statement with ``?`` parameters."""
        found: list[tuple[Any, ...]] = self._execute(text, values).fetchall()
        return found

    def close(self) -> None:
        """Undoes an open transaction and closes. What cannot be undone, closing undoes."""
        with contextlib.suppress(RecordsUnavailable, sqlite3.Error):
            self.rollback()
        self._connection.close()

    def _named(self, statement: str, values: dict[str, Any]) -> sqlite3.Cursor:
        lists = {name: list(values.pop(name)) or [None] for name in _lists_of(statement)}
        text, places = _spread(statement, tuple((len(listed) - 1).bit_length() for listed in lists.values()))
        for listed, names in zip(lists.values(), places, strict=True):
            listed += listed[-1:] * (len(names) - len(listed))
            values.update(zip(names, listed, strict=True))
        return self._execute(text, values)

    def _execute(self, text: str, values: Any = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(text, values)
        except sqlite3.OperationalError as error:
            raise _unavailable(error) from error


def _portions(count: int) -> Iterator[tuple[int, int]]:
    """Where each statement's rows begin and how many they are: powers of two, so that few statements need to be prepared.

    Each statement gives the interpreter's lock away and has to win it back, beside a busy event loop: a statement for every row would
    cost more turns than writing it.
    """
    first = 0
    while first < count:
        portion = min(_ROWS_AT_ONCE, 1 << (count - first).bit_length() - 1)
        yield first, portion
        first += portion


@cache
def _lists_of(statement: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_LIST.findall(named(statement, "sqlite"))))


@cache
def _spread(statement: str, sizes: tuple[int, ...]) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """The statement with its lists spread out, and the names of their places.

    Few lengths, few prepared statements: a list has room for a power of two, and is filled up with its last value.
    """
    text, places = named(statement, "sqlite"), []
    for name, size in zip(_lists_of(statement), sizes, strict=True):
        names = tuple(f"{name}_{at}" for at in range(1 << size))
        text = text.replace(f"= ANY(:{name})", f"IN ({', '.join(f':{each}' for each in names)})")
        places.append(names)
    return text, tuple(places)


def _statements_in(text: str) -> list[str]:
    found, pending = [], ""
    for line in text.splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            found.append(pending)
            pending = ""
    return [*found, pending] if pending.strip() else found


def let_space_be_given_back(connection: sqlite3.Connection) -> None:
    """Has a file give back free pages a few at a time; must be the first that is done with a new one.

    To set it takes the file's write lock even where it is set already, at nobody's turn: beside ingest, opening a connection waited for
    seconds and failed ("database is locked"). To look waits for nobody.
    """
    ((mode,),) = connection.execute("PRAGMA auto_vacuum").fetchall()
    if mode != _INCREMENTAL:
        connection.execute(f"PRAGMA auto_vacuum = {_INCREMENTAL}")


def _open(address: str, path: Path, pragmas: str, *, writes: bool = False) -> sqlite3.Connection:
    connection = None
    try:
        connection = sqlite3.connect(
            address, uri=True, isolation_level=None, check_same_thread=False, cached_statements=512, timeout=_BUSY_TIMEOUT_S
        )
        if writes:
            let_space_be_given_back(connection)
        connection.executescript(pragmas)
    except sqlite3.DatabaseError as error:
        # Of any kind, a full disk among them: a writer whose connection cannot be opened has to try again, not to end.
        if connection is not None:
            connection.close()
        raise RecordsUnavailable(f"{path} cannot be opened: {error}") from error
    return connection


def _unavailable(error: Exception) -> Exception:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return RecordsUnavailable(f"SQLite cannot write: {error}")
    return error
