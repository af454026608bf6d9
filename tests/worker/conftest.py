"""Rooms with workers, on SQLite or on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kivuko.records.database import Database
from kivuko.records.sqlite import SqliteDatabase
from records.conftest import database, own_server, postgresql
from worker.rooms import Room

__all__ = ["database", "own_server", "postgresql"]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A room on SQLite, for what does not depend on the database."""
    with Room(SqliteDatabase(tmp_path / "kivuko.db"), tmp_path) as opened:
        yield opened


@pytest.fixture
def any_room(database: Database, tmp_path: Path) -> Iterator[Room]:
    """A room on each database."""
    with Room(database, tmp_path) as opened:
        yield opened
