"""Records on both databases, for tests of the clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kivuko.records import Records
from kivuko.records.database import Database
from records.conftest import database, own_server, postgresql
from records.scenes import Scene

__all__ = ["database", "own_server", "postgresql"]


@pytest.fixture
def scene(database: Database) -> Iterator[Scene]:
    """A project with a writer whose clock is set by hand."""
    opened = Scene(database)
    yield opened
    opened.close()


@pytest.fixture
def records(database: Database) -> Iterator[Records]:
    """The records as a server has them, on the same database."""
    opened = Records(database)
    yield opened
    opened.close()
