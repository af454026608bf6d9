"""The lanes on both databases: the records' own fixtures, and a world around them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kivuko.records.database import Database
from kivuko.records.schema import apply_schema
from kivuko.records.sqlite import SqliteDatabase
from records.conftest import database, own_server, postgresql
from server.lanes.ingest.worlds import World

__all__ = ["database", "own_server", "postgresql"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Lanes on SQLite, for what does not depend on the database."""
    file = SqliteDatabase(tmp_path / "kivuko.db")
    connection = file.connect()
    apply_schema(connection)
    connection.close()
    with World(file, tmp_path) as opened:
        yield opened


@pytest.fixture
def any_world(database: Database, tmp_path: Path) -> Iterator[World]:
    """Lanes on each database."""
    with World(database, tmp_path) as opened:
        yield opened
