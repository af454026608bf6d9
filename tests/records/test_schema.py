"""Both databases have exactly the tables that the code believes in."""

from __future__ import annotations

import pytest

from kivuko.records.database import Conflict, Connection, Database
from kivuko.records.ids import Id, new_id
from kivuko.records.rows import Attempt, ClaimShare, LiveAttempt, LogLine, MessageVersion
from kivuko.records.schema import apply_schema, schema_files
from kivuko.records.states import AttemptState, Cause, Encoding, LiveState, LogLevel, Needs
from kivuko.records.tables import TABLES, Table, table_of

SQLITE = {Id: "BLOB", bytes: "BLOB", str: "TEXT", int: "INTEGER"}
POSTGRESQL = {Id: {"uuid"}, bytes: {"bytea"}, str: {"text"}, int: {"bigint", "integer"}}


def _columns(connection: Connection, table: str) -> list[tuple[str, str, bool]]:
    if connection.dialect == "sqlite":
        return [(name, kind, not mandatory) for _, name, kind, mandatory, *_ in connection.query(f"PRAGMA table_info({table})")]
    found = connection.query(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_name = ? ORDER BY ordinal_position", table
    )
    return [(name, kind, nullable == "YES") for name, kind, nullable in found]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_rows_and_columns_agree(connection: Connection, table: Table[object]) -> None:
    for (name, kind, nullable), column in zip(_columns(connection, table.name), table.columns, strict=True):
        assert (name, nullable) == (column.name, column.nullable)
        if connection.dialect == "sqlite":
            assert kind == ("INTEGER" if column.is_enumeration else SQLITE[column.type])
        else:
            assert kind in ({"smallint"} if column.is_enumeration else POSTGRESQL[column.type])


def test_both_databases_have_the_same_steps() -> None:
    steps = [[(file.number, file.name) for file in schema_files(dialect)] for dialect in ("sqlite", "postgresql")]
    assert steps[0] == steps[1]
    assert [number for number, _ in steps[0]] == list(range(1, len(steps[0]) + 1))


def test_a_schema_is_applied_once(database: Database) -> None:
    connection = database.connect()
    assert apply_schema(connection) == []
    connection.close()


def _filled(attempt_id: Id) -> list[object]:
    return [
        Attempt(attempt_id, new_id(), new_id(), new_id(), new_id(), new_id(), Cause.WEBHOOK, AttemptState.PARKED, options=b"\x00{}"),
        LiveAttempt(attempt_id, new_id(), new_id(), "manual", 0, 2**60, Needs.PYTHON | Needs.FRONTIER, LiveState.PARKED),
        MessageVersion(attempt_id, 3, new_id(), Encoding.ZSTD, b"\xff\x00", None, 2, 5),
        LogLine(attempt_id, 1, None, LogLevel.WARN, "JOB", 7, "naïve ✓ 100 % :x"),
    ]


def test_a_row_comes_back_as_it_was_written(connection: Connection) -> None:
    for row in _filled(new_id()):
        connection.begin()
        connection.write([row])
        connection.commit()
        table: Table[object] = table_of(type(row))
        (found,) = connection.query(f"SELECT {', '.join(column.name for column in table.columns)} FROM {table.name}")
        assert table.load(found) == row


def test_a_repeated_insert_changes_nothing_unless_it_replaces(connection: Connection) -> None:
    scope = new_id()
    connection.begin()
    for max_live, conflict in [(1, Conflict.KEEP), (2, Conflict.KEEP)]:
        connection.write([ClaimShare(scope, max_live, 0)], conflict)
    assert connection.query("SELECT max_live FROM claim_share") == [(1,)]
    connection.write([ClaimShare(scope, 3, 0), ClaimShare(scope, 4, 0)], Conflict.REPLACE)
    assert connection.query("SELECT max_live FROM claim_share") == [(4,)]
    connection.rollback()
    assert connection.query("SELECT max_live FROM claim_share") == []


def test_a_reading_connection_cannot_write(database: Database) -> None:
    reader = database.connect_to_read()
    with pytest.raises(Exception, match=r"read-only|readonly"):
        reader.query("INSERT INTO claim_share VALUES (?, ?, ?)", new_id(), 1, 1)
    reader.close()
