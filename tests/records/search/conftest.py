"""Records with an index, for tests of search."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from kivuko.records.database import Database
from kivuko.records.search import SearchIndex, open_index
from records.search.library import Library


@pytest.fixture
def index(database: Database) -> Iterator[SearchIndex]:
    """An empty index."""
    opened = open_index(database)
    opened.clear()
    yield opened
    opened.close()


@pytest.fixture
def library(database: Database, index: SearchIndex) -> Iterator[Library]:
    """Messages and logs in one project, an indexer and a finder."""
    opened = Library(database, index)
    opened.scene.now_us = opened.now_us = time.time_ns() // 1000
    yield opened
    opened.close()
