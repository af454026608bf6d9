"""Changes told from node to node."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence

import psycopg
import pytest
from structlog.testing import capture_logs

from kivuko.records import Change, new_id
from kivuko.records.postgresql import PostgresqlDatabase
from kivuko.server.changes import Changes
from kivuko.server.fanout import Fanout, read_notice, write_notices
from records.conftest import own_server, postgresql

__all__ = ["own_server", "postgresql"]

PATIENCE_S = 20
KINDS = ("queued", "cancel", "attempt", "work_order", "message", "run", "log", "workflow")


class Node:
    """One node: what it hears of others."""

    def __init__(self, address: str) -> None:
        self.heard: queue.Queue[object] = queue.Queue()
        self.changes = Changes()
        self.changes.subscribe(self._hear)
        self.changes.on_gap(lambda: self.heard.put("gap"))
        self.fanout = Fanout(address, self.changes.heard_elsewhere, self.changes.missed, lambda: self.heard.put("configuration"))
        self.changes.subscribe_to_own(self.fanout.tell)
        self.fanout.start()
        assert self.fanout.listening.wait(PATIENCE_S)
        assert [self.next(), self.next()] == ["gap", "configuration"]

    def _hear(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self.heard.put(change)

    def next(self) -> object:
        """What it heard next."""
        return self.heard.get(timeout=PATIENCE_S)


@pytest.fixture
def nodes(postgresql: PostgresqlDatabase) -> Iterator[tuple[Node, Node]]:
    """Two nodes on one database."""
    both = (Node(postgresql.address), Node(postgresql.address))
    yield both
    for node in both:
        node.fanout.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_survives_the_way(kind: str) -> None:
    changes = [Change(kind, new_id(), new_id()), Change(kind, None, new_id())]
    (notice,) = write_notices("node", changes)
    assert read_notice(notice.partition(" ")[2]) == changes


def test_texts_stay_below_what_postgresql_takes_and_say_everything_once() -> None:
    changes = [Change("run", new_id(), new_id()) for _ in range(500)]
    notices = list(write_notices("node", [*changes, *changes]))
    assert len(notices) > 1
    assert max(len(notice) for notice in notices) < 8000
    assert [change for notice in notices for change in read_notice(notice.partition(" ")[2])] == changes


@pytest.mark.parametrize("text", ["", "x", "zAAAA", "r" + "A" * 22], ids=["empty", "letter", "unknown", "no-project"])
def test_words_of_another_version_are_left_out(text: str) -> None:
    assert read_notice(text) == []


@pytest.mark.postgres
def test_what_one_node_changes_others_hear_and_it_does_not_hear_itself(nodes: tuple[Node, Node]) -> None:
    one, other = nodes
    change, kept = Change("attempt", new_id(), new_id()), Change("notice", new_id(), new_id())
    one.changes.heard([kept, change])
    assert [one.next(), one.next()] == [kept, change]
    assert other.next() == change
    back = Change("run", new_id(), new_id())
    other.changes.heard([back])
    assert one.next() == back
    assert other.next() == back
    assert (one.heard.empty(), other.heard.empty()) == (True, True)


@pytest.mark.postgres
def test_too_much_to_tell_is_a_gap(nodes: tuple[Node, Node]) -> None:
    one, other = nodes
    one.fanout.tell([Change("run", new_id(), new_id()) for _ in range(20_000)])
    assert other.next() == "gap"


@pytest.mark.postgres
def test_a_change_of_the_configuration_is_told(nodes: tuple[Node, Node]) -> None:
    one, other = nodes
    one.fanout.tell_configuration()
    assert other.next() == "configuration"


@pytest.mark.postgres
def test_a_connection_that_dies_is_made_anew_and_what_was_missed_is_a_gap(nodes: tuple[Node, Node], postgresql: PostgresqlDatabase) -> None:
    one, other = nodes
    with psycopg.connect(postgresql.address, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN kivuko%%'")
    assert {one.next(), other.next()} == {"gap"}
    assert {one.next(), other.next()} == {"configuration"}
    change = Change("run", new_id(), new_id())
    one.fanout.tell([change])
    assert other.next() == change


@pytest.mark.parametrize("text", ["r-" + "A" * 21 + "!", "r" + "é" * 30, "r-" + "=" * 22], ids=["letters", "script", "short"])
def test_what_is_no_notice_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64|ASCII|16 bytes"):
        read_notice(text)


@pytest.mark.postgres
def test_a_notice_that_cannot_be_read_is_passed_over_as_a_gap_and_the_next_is_heard(
    nodes: tuple[Node, Node], postgresql: PostgresqlDatabase
) -> None:
    one, other = nodes
    with psycopg.connect(postgresql.address, autocommit=True) as connection, capture_logs() as logged:
        for bad in ("r-" + "A" * 21 + "!", "r" + "é" * 30):
            connection.execute("SELECT pg_notify('kivuko_changes', %s)", (f"newer {bad}",))
            for node in (one, other):
                assert sorted((node.next(), node.next())) == ["configuration", "gap"]
    assert {entry["node"] for entry in logged} == {"newer"}
    change = Change("run", new_id(), new_id())
    one.fanout.tell([change])
    assert other.next() == change


@pytest.mark.postgres
def test_a_listener_that_fails_does_not_make_a_node_deaf(postgresql: PostgresqlDatabase) -> None:
    heard: queue.Queue[object] = queue.Queue()

    def listen(changes: Sequence[Change]) -> None:
        heard.put(changes[0])
        raise LookupError("a defect of a listener")

    fanout = Fanout(postgresql.address, listen, lambda: heard.put("gap"), lambda: None)
    fanout.start()
    try:
        assert heard.get(timeout=PATIENCE_S) == "gap"
        assert fanout.listening.wait(PATIENCE_S)
        with psycopg.connect(postgresql.address, autocommit=True) as connection:
            for change in (Change("run", new_id(), new_id()), Change("log", new_id(), new_id())):
                (notice,) = write_notices("elsewhere", [change])
                connection.execute("SELECT pg_notify('kivuko_changes', %s)", (notice,))
                assert heard.get(timeout=PATIENCE_S) == change
                # It listens anew, and says that something may have been missed.
                assert heard.get(timeout=PATIENCE_S) == "gap"
    finally:
        fanout.stop()
