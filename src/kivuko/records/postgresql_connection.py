"""One connection of the records to PostgreSQL 15 or newer, by psycopg 3."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format

from kivuko.errors import RecordsUnavailable
from kivuko.records.bulk import folded, write_statement
from kivuko.records.database import Conflict
from kivuko.records.ids import Id
from kivuko.records.statements import Dialect, named
from kivuko.records.tables import Column, table_of

__all__ = ["PostgresqlConnection", "open_connection"]

R = TypeVar("R")

OLDEST_VERSION = 150000
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
    try:
        connection = psycopg.connect(address, autocommit=True, options=options, connect_timeout=connect_timeout_s)
    except psycopg.OperationalError as error:
        raise RecordsUnavailable(f"PostgreSQL cannot be reached: {str(error).strip()}") from error
    if connection.info.server_version < OLDEST_VERSION:
        connection.close()
        raise RecordsUnavailable("the PostgreSQL server is older than version 15", fix="Use PostgreSQL 15 or newer.")
    connection.adapters.register_dumper(Id, _IdTextDumper)
    connection.adapters.register_dumper(Id, _IdDumper)
    connection.adapters.register_loader("uuid", _IdLoader)
    return PostgresqlConnection(connection)


class PostgresqlConnection:
    """One connection; see ``records.database.Connection``."""

    dialect: Dialect = "postgresql"

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._cursor = connection.cursor(binary=True)

    def begin(self) -> None:
        """Opens a transaction."""
        self._execute("BEGIN")

    def commit(self) -> None:
        """Commits; the server has synced its log before this returns."""
        self._execute("COMMIT")

    def rollback(self) -> None:
        """Undoes the transaction; on a broken connection there is nothing left to undo."""
        if not self._connection.broken and self._connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            self._execute("ROLLBACK")

    def fetch(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """All rows of the named statement."""
        return self._execute(named(statement, "postgresql"), values).fetchall()

    def load(self, row: type[R], statement: str, **values: Any) -> list[R]:
        """Typed rows of the named statement."""
        load = table_of(row).load
        return [load(found) for found in self._execute(named(statement, "postgresql"), values)]

    def change(self, statement: str, **values: Any) -> int:
        """Executes the named statement; rows changed."""
        return self._execute(named(statement, "postgresql"), values).rowcount

    def write(self, rows: Iterable[Any], conflict: Conflict = Conflict.KEEP) -> None:
        """Inserts rows of one class, one array a column."""
        batch = folded(rows)
        if batch is not None:
            table, listed = batch
            columns = zip(*map(table.values, listed), strict=True)
            arrays = [_array(column, values) for column, values in zip(table.columns, columns, strict=True)]
            self._execute(write_statement(table, conflict, "postgresql"), arrays)

    def scrub(self) -> None:
        """Nothing: dead rows go with the next vacuum, which is the server's to do."""

    def now_us(self) -> int:
        """The server's clock."""
        ((now,),) = self._execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").fetchall()
        return int(now)

    def script(self, text: str) -> None:
        """Executes several statements."""
        self._connection.execute(text)

    def query(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """Executes one statement with ``?`` parameters."""
        cursor = self._execute(text.replace("?", "%s"), values)
        return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Closes; an open transaction is undone by the server."""
        self._connection.close()

    def _execute(self, text: str, values: Any = None) -> psycopg.Cursor[tuple[Any, ...]]:
        try:
            return self._cursor.execute(text, values)
        except psycopg.OperationalError as error:
            raise RecordsUnavailable(f"PostgreSQL cannot write: {str(error).strip()}") from error


def _array(column: Column, values: tuple[Any, ...]) -> str | list[Any]:
    """A column's values as one parameter. Numbers and ids cannot need quotes: written out, they cost a tenth of a list."""
    if column.type is Id:
        return f"{{{','.join(['NULL' if value is None else value.hex() for value in values])}}}"
    if issubclass(column.type, int):
        return f"{{{','.join(['NULL' if value is None else str(int(value)) for value in values])}}}"
    return list(values)
