"""Schedules over a fake clock: years in milliseconds, across summer time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kivuko.errors import InputError
from kivuko.workflow.schedules import Schedule, firings, read_cron, read_interval

LONDON = "Europe/London"
LORD_HOWE = "Australia/Lord_Howe"


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def local(schedule: Schedule, after: datetime, zone: str, count: int) -> list[str]:
    return [fires.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M %z") for fires in islice(firings(schedule, after), count)]


def between(schedule: Schedule, start: datetime, end: datetime) -> list[datetime]:
    return list(takewhile(lambda fires: fires <= end, firings(schedule, start)))


def test_every_friday_at_23_in_freetown_fires_four_times_in_four_weeks() -> None:
    start = at("2026-11-02T00:00")
    found = between(read_cron("0 23 * * FRI", "Africa/Freetown"), start, start + timedelta(weeks=4))
    assert [fires.strftime("%a %H:%M") for fires in found] == ["Fri 23:00"] * 4


def test_a_wall_clock_time_is_kept_across_summer_time() -> None:
    schedule = read_cron("0 23 * * *", LONDON)
    assert local(schedule, at("2026-10-24T00:00", LONDON), LONDON, 3) == ["10-24 23:00 +0100", "10-25 23:00 +0000", "10-26 23:00 +0000"]


def test_a_fixed_time_in_the_skipped_hour_fires_once_when_the_hour_is_over() -> None:
    schedule = read_cron("0,30 1 * * *", LONDON)
    assert local(schedule, at("2026-03-28T12:00", LONDON), LONDON, 3) == ["03-29 02:00 +0100", "03-30 01:00 +0100", "03-30 01:30 +0100"]


def test_a_fixed_time_in_the_repeated_hour_fires_the_first_time_only() -> None:
    schedule = read_cron("30 1 * * *", LONDON)
    assert local(schedule, at("2026-10-24T12:00", LONDON), LONDON, 2) == ["10-25 01:30 +0100", "10-26 01:30 +0000"]
    second_half_past_one = datetime(2026, 10, 25, 1, 10, fold=1, tzinfo=ZoneInfo(LONDON))
    assert local(schedule, second_half_past_one, LONDON, 1) == ["10-26 01:30 +0000"]


def test_a_starred_hour_goes_on_by_real_time() -> None:
    schedule = read_cron("30 * * * *", LONDON)
    assert local(schedule, at("2026-10-25T00:10", LONDON), LONDON, 4) == [
        "10-25 00:30 +0100",
        "10-25 01:30 +0100",
        "10-25 01:30 +0000",
        "10-25 02:30 +0000",
    ]
    assert local(schedule, at("2026-03-29T00:10", LONDON), LONDON, 2) == ["03-29 00:30 +0000", "03-29 02:30 +0100"]


def test_a_day_that_never_was_fires_at_its_end() -> None:
    """Samoa went from 29 to 31 December 2011."""
    schedule = read_cron("0 12 30 12 *", "Pacific/Apia")
    assert local(schedule, at("2011-12-01T00:00"), "Pacific/Apia", 1) == ["12-31 00:00 +1400"]


def test_hours_go_on_by_the_wall_clock_after_a_change_of_half_an_hour() -> None:
    schedule = read_cron("0 */4 * * 0", LORD_HOWE)
    assert local(schedule, at("2026-04-04T22:00", LORD_HOWE), LORD_HOWE, 3) == [
        "04-05 00:00 +1100",
        "04-05 04:00 +1030",
        "04-05 08:00 +1030",
    ]


SEEN = ["0 0 * * *", "0 */3 * * *", "30 * * * *", "10 00 * * *", "00 00 01 * *", "*/5 * * * *", "*/2 * * * *", "0 23 * * FRI", "0 0 29 2 *"]


@pytest.mark.parametrize("expression", SEEN)
def test_expressions_of_real_projects_fire_as_cronsim_says(expression: str) -> None:
    start = at("2026-02-27T13:37")
    assert list(islice(firings(read_cron(expression), start), 5)) == list(islice(CronSim(expression, start), 5))


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high).map(str)
    span = st.tuples(st.integers(low, high), st.integers(low, high)).map(lambda ends: f"{min(ends)}-{max(ends)}")
    # cronsim takes "3-3/2" for "3/2": a range of one number is not drawn with a step.
    wide = span.filter(lambda drawn: len(set(drawn.split("-"))) == 2)
    stepped = st.tuples(st.one_of(st.just("*"), wide), st.integers(1, 12)).map(lambda parts: f"{parts[0]}/{parts[1]}")
    return st.one_of(st.just("*"), number, span, stepped, st.lists(number, min_size=2, max_size=3).map(",".join))


EXPRESSIONS = st.tuples(_field(0, 59), _field(0, 23), _field(1, 28), _field(1, 12), _field(0, 6)).map(" ".join)
CHANGES = st.sampled_from(["2026-03-28T22:47", "2026-10-24T22:47", "2026-03-29T00:59", "2026-10-25T01:20", "2026-06-01T00:00"])


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, CHANGES, st.sampled_from(["UTC", LONDON, "America/New_York", LORD_HOWE]))
def test_any_expression_fires_as_cronsim_says_in_any_zone(expression: str, start: str, zone: str) -> None:
    moment = at(start, zone)
    found = list(islice(firings(read_cron(expression, zone), moment), 8))
    assert found == sorted(set(found))
    # cronsim counts hours by the clock of before the change: where that is half an hour, "0 */4" loses its 04:00.
    assume(zone != LORD_HOWE or not expression.split()[1].startswith("*"))
    expected = (fires.astimezone(UTC) for fires in _without_repeats(CronSim(expression, moment)))
    assert found == list(islice(expected, 8))


def _without_repeats(fires: Iterator[datetime]) -> Iterator[datetime]:
    last = None
    for moment in fires:
        if last is None or moment.astimezone(UTC) > last:
            last = moment.astimezone(UTC)
            yield moment


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 0 * *", "has 4 fields, not 5"),
        ("0 0 0 * * *", "has 6 fields, not 5"),
        ("60 * * * *", "60 is not between 0 and 59"),
        ("* 24 * * *", "24 is not between 0 and 23"),
        ("* * 0 * *", "0 is not between 1 and 31"),
        ("* * L * *", "'L' is no number"),
        ("* * 15W * *", "'15W' is no number"),
        ("* * * * 5#2", "'5#2' is no number"),
        ("* * ? * *", "no number"),
        ("* * * * FRI-MON", "runs backwards"),
        ("*/0 * * * *", "/0 is no step"),
        ("*/ * * * *", "/ is no step"),
        ("1, * * * *", "'' is no number"),
        ("-1 * * * *", "'' is no number"),
        ("@reboot", "@reboot is not supported"),
        ("0 0 30 2 *", "no month it names has that day"),
        ("²  * * * *", "no number"),
    ],
)
def test_an_expression_that_cannot_be_used_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words.replace("?", "[?]")):
        read_cron(text)


@pytest.mark.parametrize(
    ("alias", "same"),
    [("@hourly", "0 * * * *"), ("@Daily", "0 0 * * *"), ("@weekly", "0 0 * * 7"), ("@monthly", "0 0 1 * *"), ("@yearly", "0 0 1 jan *")],
)
def test_the_usual_names_are_understood(alias: str, same: str) -> None:
    start = at("2026-05-05T05:05")
    assert list(islice(firings(read_cron(alias), start), 3)) == list(islice(firings(read_cron(same), start), 3))


def test_either_day_is_enough_when_both_are_restricted() -> None:
    found = list(islice(firings(read_cron("0 0 13 * FRI"), at("2026-11-01T00:00")), 4))
    assert [fires.day for fires in found] == [6, 13, 20, 27]


def test_two_weeks_fire_twice_in_the_28_days_after_the_anchor_whatever_restarts() -> None:
    schedule = read_interval("2 weeks", "2026-01-02T23:00", "Africa/Freetown")
    anchor = at("2026-01-02T23:00")
    assert between(schedule, anchor, anchor + timedelta(days=28)) == [anchor + timedelta(days=14), anchor + timedelta(days=28)]
    restarted = read_interval("2 weeks", "2026-01-02T23:00", "Africa/Freetown")
    assert restarted.next_after(anchor + timedelta(days=20)) == anchor + timedelta(days=28)


def test_the_anchor_itself_is_the_first_firing() -> None:
    assert read_interval("month", "2026-01-02T23:00").next_after(at("2020-01-01T00:00")) == at("2026-01-02T23:00")


def test_days_and_weeks_keep_the_wall_clock_and_hours_count_real_time() -> None:
    weekly = read_interval("1 week", "2026-03-20T09:00", LONDON)
    assert local(weekly, at("2026-03-20T10:00", LONDON), LONDON, 2) == ["03-27 09:00 +0000", "04-03 09:00 +0100"]
    hourly = read_interval("12 hours", "2026-03-28T12:00", LONDON)
    assert local(hourly, at("2026-03-28T12:00", LONDON), LONDON, 2) == ["03-29 00:00 +0000", "03-29 13:00 +0100"]


def test_months_end_where_the_month_ends_and_remember_the_31st() -> None:
    schedule = read_interval("1 month", "2026-01-31T06:00")
    assert [fires.strftime("%m-%d") for fires in islice(firings(schedule, at("2026-01-31T06:00")), 3)] == ["02-28", "03-31", "04-30"]


@settings(deadline=None)
@given(
    st.integers(1, 40),
    st.sampled_from(["minutes", "hours", "days", "weeks", "months"]),
    st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)),
    st.sampled_from(["UTC", LONDON, "America/Sao_Paulo"]),
)
def test_the_next_firing_of_an_interval_depends_on_the_moment_only(count: int, unit: str, moment: datetime, zone: str) -> None:
    schedule = read_interval(f"{count} {unit}", "2015-05-31T01:30", zone)
    after = moment.replace(tzinfo=UTC)
    first = schedule.next_after(after)
    assert first > after
    assert schedule.next_after(first - timedelta(microseconds=1)) == first


def test_old_files_give_seconds() -> None:
    assert read_interval(300, "2026-01-01T00:00").next_after(at("2026-01-01T00:01")) == at("2026-01-01T00:05")


@pytest.mark.parametrize("every", ["", "weeks 2", "0 weeks", "-1 days", "2 fortnights", "1.5 hours", "2 years ago", 30, "20 seconds"])
def test_an_interval_that_cannot_be_used_is_refused(every: str | int) -> None:
    with pytest.raises(InputError, match="interval"):
        read_interval(every, "2026-01-01T00:00")


def test_a_zone_or_anchor_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(InputError, match="'Mars/Base' is no time zone"):
        read_cron("@daily", "Mars/Base")
    with pytest.raises(InputError, match="no date and time"):
        read_interval("1 day", "tomorrow")
    with pytest.raises(InputError, match="zone of its own"):
        read_interval("1 day", "2026-01-01T00:00+01:00")
