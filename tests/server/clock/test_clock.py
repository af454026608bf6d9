"""Chores are done, again and again, by one node, whatever one of them raises."""

from __future__ import annotations

import threading
from collections.abc import Callable

from structlog.testing import capture_logs

from kivuko.errors import RecordsUnavailable
from kivuko.records import Election
from kivuko.records.database import Database
from kivuko.server.clock import Chore, Clock

PATIENCE_S = 20


class Counter:
    """Counts calls; tests wait for a number of them."""

    def __init__(self, outcome: Callable[[int], bool] = lambda count: False) -> None:
        self._outcome = outcome
        self._changed = threading.Condition()
        self.count = 0

    def __call__(self) -> bool:
        with self._changed:
            self.count += 1
            self._changed.notify_all()
            count = self.count
        return self._outcome(count)

    def reaches(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.count >= count, PATIENCE_S)


def test_a_chore_is_done_again_after_a_while(database: Database) -> None:
    often, seldom = Counter(), Counter()
    clock = Clock(Election(database), [Chore("often", 0.01, often), Chore("seldom", 3600, seldom)])
    clock.start()
    assert often.reaches(3)
    clock.stop()
    assert seldom.count == 1


def test_what_has_more_to_do_does_not_wait(database: Database) -> None:
    work = Counter(lambda count: count < 4)
    clock = Clock(Election(database), [Chore("work", 3600, work)])
    clock.start()
    assert work.reaches(4)
    clock.stop()


def test_a_chore_can_be_woken(database: Database) -> None:
    work = Counter()
    clock = Clock(Election(database), [Chore("work", 3600, work)])
    clock.start()
    assert work.reaches(1)
    clock.wake("work")
    clock.wake("no such chore")
    assert work.reaches(2)
    clock.stop()


def test_one_that_fails_is_done_again_and_hurts_no_other(database: Database) -> None:
    def failing(count: int) -> bool:
        raise RecordsUnavailable("gone") if count % 2 else ZeroDivisionError

    fails, missed, fine = Counter(failing), Counter(), Counter()
    clock = Clock(Election(database), [Chore("fails", 0.01, fails, missed=lambda: missed() and None), Chore("fine", 0.01, fine)])
    clock.start()
    assert fails.reaches(3)
    assert missed.reaches(2)
    assert fine.reaches(3)
    clock.stop()


def test_a_failure_is_told_once_and_its_end_too(database: Database) -> None:
    def failing(count: int) -> bool:
        if count <= 5:
            raise RecordsUnavailable("the database is away" if count < 5 else "it starts")
        return False

    work = Counter(failing)
    clock = Clock(Election(database), [Chore("work", 0.005, work)])
    with capture_logs() as logs:
        clock.start()
        assert work.reaches(8)
        clock.stop()
    assert [(entry["event"], entry.get("error")) for entry in logs] == [
        ("chore_failed", "the database is away"),
        ("chore_failed", "it starts"),
        ("chore_works_again", None),
    ]


def test_a_chore_that_hangs_keeps_no_other_from_being_done(database: Database) -> None:
    ready, fine = threading.Event(), Counter()
    clock = Clock(Election(database), [Chore("hangs", 0.01, lambda: ready.wait(PATIENCE_S)), Chore("fine", 0.01, fine)])
    clock.start()
    assert fine.reaches(3)
    ready.set()
    clock.stop()


def test_of_two_nodes_one_does_it_and_the_other_when_that_is_gone(database: Database) -> None:
    if database.dialect == "sqlite":
        # One process has the file: both objects here are that one.
        return
    first, second, missed = Counter(), Counter(), Counter()
    one = Clock(Election(database), [Chore("work", 0.01, first)])
    other = Clock(Election(database), [Chore("work", 0.01, second, missed=lambda: missed() and None)])
    one.start()
    assert first.reaches(1)
    other.start()
    assert missed.reaches(2)
    assert second.count == 0
    one.stop()
    assert second.reaches(1)
    other.stop()


def test_what_every_node_has_to_do_is_done_by_both(database: Database) -> None:
    counters = [Counter(), Counter()]
    clocks = [Clock(Election(database), [Chore("work", 0.01, counter, alone=False)]) for counter in counters]
    for clock in clocks:
        clock.start()
    assert all(counter.reaches(2) for counter in counters)
    for clock in clocks:
        clock.stop()


def test_each_thread_closes_its_connections_at_its_end(database: Database) -> None:
    closed, work = Counter(), Counter()
    clock = Clock(Election(database), [Chore(name, 0.01, work) for name in ("one", "two")], at_end=lambda: closed() and None)
    clock.start()
    assert work.reaches(4)
    assert closed.count == 0
    clock.stop()
    assert closed.count == 2
