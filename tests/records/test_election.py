"""One of several nodes does what only one should."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kivuko.errors import RecordsUnavailable
from kivuko.records.database import Database
from kivuko.records.election import Election


@pytest.fixture
def nodes(database: Database) -> Iterator[list[Election]]:
    """Two nodes on one database."""
    found = [Election(database), Election(database)]
    yield found
    for node in found:
        node.resign()


def test_one_node_wins_until_it_resigns(nodes: list[Election], database: Database) -> None:
    first, second = nodes
    assert [first.won(), first.won()] == [True, True]
    if database.dialect == "sqlite":
        # One process has the file; it never has to ask.
        assert second.won()
        return
    assert not second.won()
    first.resign()
    assert second.won()
    assert not first.won()


@pytest.mark.postgres
def test_a_node_whose_connection_dies_is_the_one_no_more(nodes: list[Election], database: Database) -> None:
    if database.dialect == "sqlite":
        pytest.skip("one process has the file")
    first, second = nodes
    assert first.won()
    killer = database.connect()
    killer.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND objid = 27501")
    with pytest.raises(RecordsUnavailable):
        first.won()
    killer.close()
    assert second.won()
    assert not first.won()
