"""Which ticks are due, and which that were missed are made up for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kivuko.platform.schedules.due import CAUGHT_UP_AT_MOST, Due, due_ticks
from kivuko.platform.schedules.overlap import Line, line_up
from kivuko.workflow.schedules import read_cron

HOURLY = read_cron("0 * * * *")
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def _hours(*hours: int) -> tuple[datetime, ...]:
    return tuple(NOON.replace(hour=hour) for hour in hours)


def test_the_tick_that_is_due_just_now_fires_whatever_the_policy() -> None:
    for policy in ("skip", "once", "all"):
        assert due_ticks(HOURLY, NOON, NOON, policy) == Due((), NOON, *_hours(13), 0)


def test_nothing_is_due_before_its_time() -> None:
    assert due_ticks(HOURLY, NOON, NOON - timedelta(seconds=1), "all") == Due((), None, NOON, 0)


@pytest.mark.parametrize(
    ("policy", "made_up", "let_go"),
    [("skip", (), 3), ("once", (12,), 2), ("all", (10, 11, 12), 0)],
    ids=["skip", "once", "all"],
)
def test_three_ticks_were_missed(policy: str, made_up: tuple[int, ...], let_go: int) -> None:
    since, now = NOON - timedelta(hours=2), NOON + timedelta(minutes=5)
    assert due_ticks(HOURLY, since, now, policy) == Due(_hours(*made_up), None, *_hours(13), let_go)


def test_a_short_restart_misses_nothing() -> None:
    due = due_ticks(HOURLY, NOON, NOON + timedelta(seconds=59), "skip")
    assert (due.on_time, due.let_go) == (NOON, 0)
    assert due_ticks(HOURLY, NOON, NOON + timedelta(seconds=60), "skip").on_time is None


def test_once_is_the_tick_that_is_due_just_now_when_there_is_one() -> None:
    due = due_ticks(HOURLY, NOON - timedelta(hours=2), NOON, "once")
    assert (due.made_up, due.on_time, due.let_go) == ((), NOON, 2)


def test_a_hundred_at_most_are_made_up_for_the_newest_oldest_first() -> None:
    now = NOON + timedelta(minutes=5)
    due = due_ticks(HOURLY, NOON - timedelta(hours=400), now, "all")
    assert len(due.made_up) == CAUGHT_UP_AT_MOST
    assert due.made_up[-1] == NOON
    assert due.made_up[0] == NOON - timedelta(hours=99)
    assert list(due.made_up) == sorted(due.made_up)


def test_ten_years_of_minutes_are_not_counted_through() -> None:
    looked_at = 0

    class Counting:
        def next_after(self, moment: datetime) -> datetime:
            nonlocal looked_at
            looked_at += 1
            return read_cron("* * * * *").next_after(moment)

    due = due_ticks(Counting(), NOON - timedelta(days=3650), NOON, "all")
    assert len(due.made_up) == CAUGHT_UP_AT_MOST
    assert looked_at < 1000


def _due(*made_up: int, on_time: int | None = None) -> Due:
    moments = tuple(datetime.fromtimestamp(each, UTC) for each in made_up)
    return Due(moments, datetime.fromtimestamp(on_time, UTC) if on_time else None, NOON, 0)


S = 1_000_000


@pytest.mark.parametrize(
    ("overlap", "waiting", "busy", "line"),
    [
        ("queue", (), False, Line((9 * S,), 0)),
        ("queue", (), True, Line((9 * S,), 0)),
        ("queue", (8 * S,), True, Line((8 * S,), 1)),
        ("skip", (), False, Line((9 * S,), 0)),
        ("skip", (), True, Line((), 1)),
        ("allow", (8 * S,), True, Line((8 * S, 9 * S), 0)),
        ("replace", (8 * S,), True, Line((9 * S,), 1, cancels=True)),
        ("replace", (), False, Line((9 * S,), 0)),
    ],
    ids=["queue-free", "queue-busy", "queue-full", "skip-free", "skip-busy", "allow", "replace-busy", "replace-free"],
)
def test_a_tick_while_another_is_under_way(overlap: str, waiting: tuple[int, ...], busy: bool, line: Line) -> None:
    assert line_up(overlap, waiting, _due(on_time=9), busy=busy, catch_up="skip") == line


def test_ticks_that_are_made_up_for_wait_for_each_other() -> None:
    assert line_up("skip", (), _due(1, 2, 3), busy=True, catch_up="all") == Line((S, 2 * S, 3 * S), 0)
    assert line_up("queue", (S,), _due(on_time=9), busy=True, catch_up="all") == Line((S, 9 * S), 0)
