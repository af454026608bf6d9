"""One connection of the records to PostgreSQL 15 or newer, by psycopg 3."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, TypeVar

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Format

from kivuko.errors import RecordsUnavailable
from kivuko.records.bulk import folded, write_statement
from kivuko.records.database import Asked, Conflict
from kivuko.records.ids import Id
from kivuko.records.postgresql import PATIENCE
from kivuko.records.statements import Dialect, named
from kivuko.records.tables import Column, Table, table_of

__all__ = ["PostgresqlConnection", "open_connection", "patient_connection"]

R = TypeVar("R")

OLDEST_VERSION = 150000
_NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_UUID = psycopg.adapters.types["uuid"]


class _IdDumper(Dumper):
    format = Format.BINARY
    oid = _UUID.oid

    def dump(self, obj: Buffer) -> Buffer:
        return bytes(obj)


class _IdTextDumper(Dumper):
    # Lists of ids are dumped as text.
    oid = _UUID.oid

    def dump(self, obj: Buffer) -> Buffer:
        return bytes(obj).hex().encode()


class _IdLoader(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> Id:
        return bytes.__new__(Id, data)


def open_connection(address: str, options: str, *, connect_timeout_s: int) -> PostgresqlConnection:
    """A connection with these options of the server. Raises RecordsUnavailable."""
    return PostgresqlConnection(lambda: _opened(address, options, connect_timeout_s))


def patient_connection(address: str, options: str = "", *, connect_timeout_s: int = 5) -> psycopg.Connection:
    """psycopg's connection, which finds out within seconds that its server has gone. Raises psycopg.Error."""
    given: dict[str, Any] = {**PATIENCE, **conninfo_to_dict(address)}
    given["options"] = f"{given.get('options') or ''} {options}".strip()
    return psycopg.connect(make_conninfo(**given), autocommit=True, connect_timeout=connect_timeout_s)


def _opened(address: str, options: str, connect_timeout_s: int) -> psycopg.Connection:
    try:
        connection = patient_connection(address, options, connect_timeout_s=connect_timeout_s)
    except psycopg.OperationalError as error:
        raise RecordsUnavailable(f"PostgreSQL cannot be reached: {str(error).strip()}") from error
    if connection.info.server_version < OLDEST_VERSION:
        connection.close()
        raise RecordsUnavailable("the PostgreSQL server is older than version 15", fix="Use PostgreSQL 15 or newer.")
    connection.adapters.register_dumper(Id, _IdTextDumper)
    connection.adapters.register_dumper(Id, _IdDumper)
    connection.adapters.register_loader("uuid", _IdLoader)
    return connection


class PostgresqlConnection:
    """One connection; see ``records.database.Connection``.

    Within a transaction what is only written is sent without waiting for each answer: under load every wait costs a turn of the
    interpreter's lock, a dozen for a message.
    """

    dialect: Dialect = "postgresql"

    def __init__(self, open_: Callable[[], psycopg.Connection]) -> None:
        self._open = open_
        self._connection = open_()
        self._cursor = self._connection.cursor(binary=True)
        self._unanswered = contextlib.ExitStack()
        self._in_pipeline = False
        self._clock: psycopg.Cursor[tuple[Any, ...]] | None = None
        self._failed = False

    def begin(self) -> None:
        """Opens a transaction."""
        with self._noticing():
            self._unanswered.enter_context(self._connection.pipeline())
        self._in_pipeline = True
        self._execute("BEGIN")
        # Asked for with the first statement, whose answer comes behind this one's: nobody waits for the time alone.
        with self._noticing():
            self._clock = self._connection.cursor(binary=True).execute(_NOW)

    def commit(self) -> None:
        """Commits; the server has synced its log before this returns."""
        self._execute("COMMIT")
        self._wait_for_answers()

    def rollback(self) -> None:
        """Undoes the transaction; on a broken connection there is nothing left to undo."""
        self._clock = None
        with contextlib.suppress(psycopg.Error, RecordsUnavailable):  # what is undone may have failed
            self._wait_for_answers()
        if self._connection.broken:
            return
        if self._failed:
            # psycopg counts statements as prepared that the server passed over after the one that failed.
            self._connection.close()
            self._connection = self._open()
            self._cursor = self._connection.cursor(binary=True)
            self._failed = False
        elif self._connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            self._execute("ROLLBACK")

    def fetch(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """All rows of the named statement."""
        return self._rows(named(statement, "postgresql"), values)

    def load(self, row: type[R], statement: str, **values: Any) -> list[R]:
        """Typed rows of the named statement."""
        return list(map(table_of(row).load, self._rows(named(statement, "postgresql"), values)))

    def together(self, *asked: Asked) -> list[list[Any]]:
        """The rows of several statements: all are sent, then their answers are read."""
        found: list[list[Any]] = []
        # A pipeline within a pipeline would wait for what was sent before it.
        with self._noticing(), contextlib.nullcontext() if self._in_pipeline else self._connection.pipeline():
            cursors = [
                self._connection.cursor(binary=True).execute(named(each.statement, "postgresql"), each.values or None) for each in asked
            ]
            for each, cursor in zip(asked, cursors, strict=True):
                rows = cursor.fetchall()
                found.append(list(map(table_of(each.row).load, rows)) if each.row else rows)
        return found

    def change(self, statement: str, **values: Any) -> None:
        """Executes the named statement."""
        self._execute(named(statement, "postgresql"), values)

    def changed(self, statement: str, **values: Any) -> int:
        """Executes the named statement; rows changed."""
        self._wait_for_answers()
        return self._execute(named(statement, "postgresql"), values).rowcount

    def write(self, rows: Iterable[Any], conflict: Conflict = Conflict.KEEP) -> None:
        """Inserts rows of one class, one array a column."""
        self.write_all([(rows, conflict)])

    def write_all(self, batches: Iterable[tuple[Iterable[Any], Conflict]]) -> None:
        """Inserts rows of several classes by one statement, one array a column."""
        parts: list[tuple[Table[Any], Conflict]] = []
        arrays: list[str | list[Any]] = []
        for rows, conflict in batches:
            batch = folded(rows)
            if batch is not None:
                table, listed = batch
                parts.append((table, conflict))
                columns = zip(*map(table.values, listed), strict=True)
                arrays += [_array(column, values) for column, values in zip(table.columns, columns, strict=True)]
        if parts:
            self._execute(_write_statement(tuple(parts)), arrays)

    def scrub(self) -> None:
        """Nothing: dead rows go with the next vacuum, which is the server's to do."""

    def now_us(self) -> int:
        """The server's clock, first in a transaction as it was at its begin."""
        clock, self._clock = self._clock, None
        with self._noticing():
            ((now,),) = (clock or self._connection.cursor(binary=True).execute(_NOW)).fetchall()
        return int(now)

    def script(self, text: str) -> None:
        """Executes several statements."""
        self._wait_for_answers()
        with self._noticing():
            self._connection.execute(text)

    def query(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """Executes one statement with ``?`` parameters."""
        self._wait_for_answers()
        with self._noticing():
            cursor = self._connection.cursor(binary=True).execute(text.replace("?", "%s"), values)
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Closes; an open transaction is undone by the server."""
        self._connection.close()

    def _execute(self, text: str, values: Any = None) -> psycopg.Cursor[tuple[Any, ...]]:
        with self._noticing():
            return self._cursor.execute(text, values)

    def _rows(self, text: str, values: Any = None) -> list[tuple[Any, ...]]:
        # A cursor of its own: the answers to what was sent before would land on a shared one.
        with self._noticing():
            return self._connection.cursor(binary=True).execute(text, values).fetchall()

    def _wait_for_answers(self) -> None:
        """What failed of the statements that were sent without waiting is raised here, or by the next one that gives rows."""
        self._in_pipeline = False
        with self._noticing():
            self._unanswered.close()

    @contextlib.contextmanager
    def _noticing(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction) as error:
            # Read-only: another server has become the one that is written to.
            self._failed = True
            raise RecordsUnavailable(f"PostgreSQL cannot write: {str(error).strip()}") from error
        except psycopg.Error:
            self._failed = True
            raise


@cache
def _write_statement(parts: tuple[tuple[Table[Any], Conflict], ...]) -> str:
    """Each part's statement; all but the last stand before it, as parts of its own."""
    *others, last = [write_statement(table, conflict, "postgresql") for table, conflict in parts]
    named_parts = ", ".join(f"part{at} AS ({text})" for at, text in enumerate(others))
    return f"WITH {named_parts} {last}" if others else last


def _array(column: Column, values: tuple[Any, ...]) -> str | list[Any]:
    """A column's values as one parameter. Numbers and ids cannot need quotes: written out, they cost a tenth of a list."""
    if column.type is Id:
        return f"{{{','.join(['NULL' if value is None else value.hex() for value in values])}}}"
    if issubclass(column.type, int):
        return f"{{{','.join(['NULL' if value is None else str(int(value)) for value in values])}}}"
    return list(values)
