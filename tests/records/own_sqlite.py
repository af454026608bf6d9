"""A SQLite file of one's own."""

from __future__ import annotations

from pathlib import Path

from kivuko.records.schema import apply_schema
from kivuko.records.sqlite import SqliteDatabase


def empty_sqlite(folder: Path, name: str = "kivuko.db") -> SqliteDatabase:
    """An empty database with the schema, in a file of the folder."""
    database = SqliteDatabase(folder / name)
    connection = database.connect()
    apply_schema(connection)
    connection.close()
    return database
