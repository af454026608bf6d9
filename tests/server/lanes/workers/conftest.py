"""The lane of workers on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kivuko.records.database import Database
from kivuko.records.schema import apply_schema
from kivuko.records.sqlite import SqliteDatabase
from records.conftest import database, own_server, postgresql
from server.lanes.workers.worlds import World

__all__ = ["database", "own_server", "postgresql"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The lane on SQLite, for what does not depend on the database."""
    file = SqliteDatabase(tmp_path / "kivuko.db")
    connection = file.connect()
    apply_schema(connection)
    connection.close()
    with World(file) as opened:
        yield opened


@pytest.fixture
def any_world(database: Database) -> Iterator[World]:
    """The lane on each database."""
    with World(database) as opened:
        yield opened
