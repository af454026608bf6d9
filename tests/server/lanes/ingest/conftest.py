"""The lanes on both databases: the records' own fixtures, and a world around them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kivuko.records.database import Database
from records.conftest import database, own_server, postgresql
from records.own_sqlite import empty_sqlite
from server.lanes.ingest.worlds import World

__all__ = ["database", "own_server", "postgresql"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Lanes on SQLite, for what does not depend on the database."""
    with World(empty_sqlite(tmp_path), tmp_path) as opened:
        yield opened


@pytest.fixture
def any_world(database: Database, tmp_path: Path) -> Iterator[World]:
    """Lanes on each database."""
    with World(database, tmp_path) as opened:
        yield opened
