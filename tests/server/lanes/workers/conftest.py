"""The lane of workers on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kivuko.records.database import Database
from records.conftest import database, own_server, postgresql
from server.lanes.workers.worlds import World, world_in

__all__ = ["database", "own_server", "postgresql"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The lane on SQLite, for what does not depend on the database."""
    with world_in(tmp_path) as opened:
        yield opened


@pytest.fixture
def any_world(database: Database) -> Iterator[World]:
    """The lane on each database."""
    with World(database) as opened:
        yield opened
