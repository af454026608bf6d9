"""Connections to a SQLite file."""

from __future__ import annotations

from pathlib import Path

from kivuko.records.schema import apply_schema
from kivuko.records.sqlite import SqliteDatabase


def test_a_new_file_gives_back_free_pages_a_few_at_a_time(tmp_path: Path) -> None:
    connection = SqliteDatabase(tmp_path / "kivuko.db").connect()
    apply_schema(connection)
    assert connection.query("PRAGMA auto_vacuum") == [(2,)]
    connection.close()


def test_opening_a_connection_does_not_wait_for_whoever_writes(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "kivuko.db")
    writing = database.connect()
    apply_schema(writing)
    writing.begin()
    try:
        # One that took the write lock would fail here: what it waits for is this thread's.
        database.connect().close()
        database.connect_to_read().close()
    finally:
        writing.close()
