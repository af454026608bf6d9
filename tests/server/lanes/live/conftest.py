"""Live pages on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kivuko.records.database import Database
from records.conftest import database, own_server, postgresql
from server.lanes.live.theatre import Theatre

__all__ = ["database", "own_server", "postgresql"]


@pytest.fixture
def theatre(database: Database) -> Iterator[Theatre]:
    """A theatre on each database."""
    opened = Theatre(database)
    yield opened
    opened.close()
