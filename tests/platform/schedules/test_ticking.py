"""Schedules over a clock that is set by hand, on both databases (requirements §3.2, R-021…R-025, R-034)."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connections

from clockwork.worlds import JSON, Parts, World
from kivuko.errors import ObjectMissing
from kivuko.platform.schedules.cursor import schedule_input
from kivuko.platform.schedules.firings import at_us, next_firings
from kivuko.platform.schedules.models import ScheduleRow
from kivuko.platform.schedules.ticking import Ticker
from kivuko.platform.workflows.document import WorkflowDocument
from kivuko.platform.workflows.starts import trigger_start
from kivuko.records import AttemptState, Cause, ExitReason, Id, Input, Part, Start, WipeBodies, WorkOrder, read_dataclip
from kivuko.records.rows import Attempt, Dataclip, OnceOnly, Run

HOURLY = {"kind": "cron", "cron_expression": "0 * * * *"}


class Clockwork:
    """The ticker over a world, looked at as often as a test says."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ticker = self.started()

    def started(self) -> Ticker:
        """As after a start of the server."""
        self.ticker = Ticker(self.world.records, now_us=lambda: self.world.now_us)
        return self.ticker

    def look(self, **time: float) -> None:
        """Time passes, the ticker looks."""
        self.world.after(**time)
        self.ticker.work()

    def orders(self) -> list[WorkOrder]:
        """What was started."""
        return self.world.rows(WorkOrder)

    def row(self, parts: Parts) -> ScheduleRow:
        """Where the schedule stands."""
        return ScheduleRow.objects.get(trigger_id=parts.triggers[0])

    def state(self, order: WorkOrder) -> object:
        """What a tick began with."""
        if order.dataclip_id is None:
            return {}
        return json.loads(read_dataclip(self.world.reader, self.world.records.payloads, order.dataclip_id))

    def ticks_until(self, end: datetime, **step: float) -> list[datetime]:
        """Looks in steps until then, working each tick off; when the ticks came, to the step."""
        came = []
        while self.world.now < end:
            before = len(self.orders())
            self.look(**step)
            if new := len(self.orders()) - before:
                came += [self.world.now] * new
                self.world.work()
        return came


@pytest.fixture
def clockwork(world: World) -> Clockwork:
    return Clockwork(world)


def _weekly(**fields: object) -> JSON:
    return {"kind": "cron", "cron_expression": "0 23 * * FRI", "timezone": "Africa/Freetown", **fields}


def test_a_tick_is_one_work_order_at_its_time(world: World, clockwork: Clockwork) -> None:
    parts = world.save(HOURLY, [{}, {}])
    clockwork.look()
    clockwork.look(minutes=59, seconds=59)
    assert clockwork.orders() == []
    clockwork.look(seconds=1)
    clockwork.look(seconds=1)
    (order,) = clockwork.orders()
    assert (order.cause, order.trigger_id, order.snapshot_id) == (Cause.CRON, parts.triggers[0], parts.snapshot_id)
    assert [run.job_id for run in world.rows(Run)] == list(parts.jobs)
    schedule = ScheduleRow.objects.get(trigger_id=parts.triggers[0])
    assert schedule.next_at == at_us(world.now.replace(second=0) + timedelta(hours=1))


def test_four_weeks_of_fridays_are_four_ticks(world: World, clockwork: Clockwork) -> None:
    world.now = datetime(2027, 1, 1, 5, tzinfo=UTC)
    world.save(_weekly())
    clockwork.look()
    came = clockwork.ticks_until(world.now + timedelta(weeks=4), hours=6)
    assert [(at.isoweekday(), at.hour, at.minute) for at in came] == [(5, 23, 0)] * 4


def test_across_the_change_of_the_clocks_there_is_one_tick_at_the_same_local_time(world: World, clockwork: Clockwork) -> None:
    london = ZoneInfo("Europe/London")
    world.now = datetime(2027, 3, 26, 12, tzinfo=UTC)
    world.save({"kind": "cron", "cron_expression": "0 23 * * *", "timezone": "Europe/London"})
    clockwork.look()
    came = clockwork.ticks_until(datetime(2027, 3, 29, 12, tzinfo=UTC), hours=1)
    assert [at.hour for at in came] == [23, 23, 22]
    assert [at.astimezone(london).hour for at in came] == [23, 23, 23]


def test_the_projects_zone_counts_where_the_trigger_names_none(world: World, clockwork: Clockwork) -> None:
    world.project.timezone = "Asia/Kathmandu"
    world.project.save()
    world.save({"kind": "cron", "cron_expression": "0 12 * * *"})
    clockwork.look()
    clockwork.look(hours=6, minutes=15)
    assert len(clockwork.orders()) == 1


def test_every_two_weeks_is_two_runs_in_28_days_whatever_restarts_between(world: World, clockwork: Clockwork) -> None:
    world.save({"kind": "interval", "every": "2 weeks", "anchor": "2027-01-02T23:00", "timezone": "Europe/London"})
    clockwork.look()
    world.now = datetime(2027, 1, 2, 23, tzinfo=UTC)
    clockwork.look()
    assert [order.cause for order in clockwork.orders()] == [Cause.INTERVAL]
    world.work()
    came = []
    for _ in range(28):
        clockwork.started()
        came += clockwork.ticks_until(world.now + timedelta(days=1), hours=12)
    assert len(came) == 2


def test_a_restart_in_the_very_moment_starts_a_tick_once(world: World, clockwork: Clockwork) -> None:
    parts = world.save(HOURLY)
    clockwork.look()
    before = clockwork.row(parts).next_at
    clockwork.look(hours=1)
    # As if the server had died between the work order and the note that the tick was started.
    ScheduleRow.objects.update(next_at=before)
    clockwork.started()
    clockwork.look()
    ScheduleRow.objects.update(waiting=[before], has_waiting=True)
    world.work()
    clockwork.look()
    assert len(clockwork.orders()) == 1
    assert len(world.rows(OnceOnly)) == 1
    assert clockwork.row(parts).waiting == []


def test_two_nodes_start_a_tick_once(world: World, clockwork: Clockwork) -> None:
    parts = world.save({**HOURLY, "overlap": "allow"})
    tickers = [Ticker(world.records, now_us=lambda: world.now_us) for _ in range(4)]
    for ticker in tickers:
        ticker.work()
    for hours in (1, 2, 3):
        world.after(hours=1)
        ready = threading.Barrier(len(tickers))

        def tick(ticker: Ticker, ready: threading.Barrier = ready) -> None:
            ready.wait(20)
            ticker.work()
            connections.close_all()

        threads = [threading.Thread(target=tick, args=(ticker,)) for ticker in tickers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        clockwork.look()
        assert len(clockwork.orders()) == hours
    assert clockwork.row(parts).waiting == []


def test_one_schedule_that_cannot_be_started_holds_up_no_other(world: World, clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = world.save(HOURLY, name="Broken")
    fine = world.save(HOURLY, name="Fine")
    clockwork.look()

    def started(document: WorkflowDocument, *rest: Any, **queueing: Any) -> Start:
        if document.id == broken.document.id:
            raise ObjectMissing("a part of it is gone")
        return trigger_start(document, *rest, **queueing)

    monkeypatch.setattr("kivuko.platform.schedules.ticking.trigger_start", started)
    clockwork.look(hours=1)
    assert [order.workflow_id for order in clockwork.orders()] == [fine.document.id]


@pytest.mark.parametrize(("catch_up", "runs"), [("skip", 0), ("once", 1), ("all", 3)])
def test_a_server_that_was_down_for_three_hours(world: World, clockwork: Clockwork, catch_up: str, runs: int) -> None:
    parts = world.save({**HOURLY, "catch_up": catch_up, "overlap": "allow"})
    clockwork.look()
    world.after(hours=3, minutes=30)
    clockwork.started()
    clockwork.look()
    assert len(clockwork.orders()) == runs
    assert clockwork.row(parts).skipped == 3 - runs
    clockwork.look(minutes=30)
    assert len(clockwork.orders()) == runs + 1


def test_ticks_that_are_made_up_for_run_one_after_the_other(world: World, clockwork: Clockwork) -> None:
    world.save({**HOURLY, "catch_up": "all"})
    clockwork.look()
    clockwork.look(hours=3, minutes=30)
    for done in (1, 2, 3):
        assert len(clockwork.orders()) == done
        clockwork.look(seconds=1)
        assert len(clockwork.orders()) == done
        world.work()
        clockwork.look(seconds=1)
    assert len(clockwork.orders()) == 3


def test_a_tick_waits_for_the_one_before_it_and_further_ones_are_skipped(world: World, clockwork: Clockwork) -> None:
    parts = world.save(HOURLY)
    clockwork.look()
    for _ in range(4):
        clockwork.look(hours=1)
    assert len(clockwork.orders()) == 1
    assert (len(clockwork.row(parts).waiting), clockwork.row(parts).skipped) == (1, 2)
    world.work()
    clockwork.look(seconds=1)
    assert len(clockwork.orders()) == 2


def test_with_allow_they_overlap(world: World, clockwork: Clockwork) -> None:
    world.save({**HOURLY, "overlap": "allow"})
    clockwork.look()
    for _ in range(3):
        clockwork.look(hours=1)
    assert len(clockwork.orders()) == 3


def test_with_skip_none_waits(world: World, clockwork: Clockwork) -> None:
    parts = world.save({**HOURLY, "overlap": "skip"})
    clockwork.look()
    for _ in range(3):
        clockwork.look(hours=1)
    world.work()
    clockwork.look(seconds=1)
    assert (len(clockwork.orders()), clockwork.row(parts).skipped) == (1, 2)


def test_with_replace_the_older_is_cancelled_first(world: World, clockwork: Clockwork) -> None:
    world.save({**HOURLY, "overlap": "replace"})
    clockwork.look()
    clockwork.look(hours=1)
    hand = world.claim()
    assert hand is not None
    clockwork.look(hours=1)
    # Its worker has not stopped it yet.
    assert len(clockwork.orders()) == 1
    hand.finish(ExitReason.CANCEL)
    clockwork.look(seconds=1)
    assert len(clockwork.orders()) == 2
    assert [attempt.state for attempt in world.rows(Attempt)] == [AttemptState.CANCELLED, AttemptState.QUEUED]


def test_a_counter_counts(world: World, clockwork: Clockwork) -> None:
    """R-024: 1, 2, 3; a failing fourth tick; the fifth gets the state of the third."""
    world.save(HOURLY)
    clockwork.look()
    for count in (1, 2, 3):
        clockwork.look(hours=1)
        world.work(output={"count": count})
    clockwork.look(hours=1)
    world.work(reason=ExitReason.FAIL, error_type="JobError", output={"count": -1})
    clockwork.look(hours=1)
    assert [clockwork.state(order) for order in clockwork.orders()] == [{}, {"count": 1}, {"count": 2}, {"count": 3}, {"count": 3}]


def test_with_several_jobs_the_workflows_last_state_counts(world: World, clockwork: Clockwork) -> None:
    world.save(HOURLY, [{}, {}])
    clockwork.look()
    clockwork.look(hours=1)
    world.work(output={"all": 1})
    clockwork.look(hours=1)
    first, second = clockwork.orders()
    (attempt, _) = world.rows(Attempt)
    assert first.dataclip_id is None
    assert second.dataclip_id == attempt.final_dataclip_id


def test_another_job_may_be_the_cursor(world: World, clockwork: Clockwork) -> None:
    parts = world.save(HOURLY, [{}, {}])
    world.save({**HOURLY, "cursor_job_id": str(parts.jobs[1])}, [{}, {}], like=parts)
    clockwork.look()
    clockwork.look(hours=1)
    world.work(output={"n": 1})
    clockwork.look(hours=1)
    output = next(run.output_dataclip_id for run in world.rows(Run) if run.job_id == parts.jobs[1] and run.output_dataclip_id)
    assert clockwork.orders()[-1].dataclip_id == output


def test_the_state_is_pinned_and_found_when_its_run_is_gone(world: World, clockwork: Clockwork) -> None:
    parts = world.save(HOURLY)
    clockwork.look()
    for count in (1, 2):
        clockwork.look(hours=1)
        world.work(output={"count": count})
    clockwork.ticker.pin_states()
    pinned = {clip.id: clip.pinned_by for clip in world.rows(Dataclip) if clip.pinned_by}
    assert list(pinned.values()) == [parts.jobs[0]]
    world.do(WipeBodies(world.project_id, Part.ATTEMPTS, Id(b"\xff" * 16)))
    connection = world.records.database.connect()
    connection.query("DELETE FROM run")
    connection.close()
    clockwork.look(hours=1)
    assert clockwork.state(clockwork.orders()[-1]) == {"count": 2}


def test_running_now_begins_with_the_same_state_and_leaves_the_next_tick_alone(world: World, clockwork: Clockwork) -> None:
    parts = world.save(HOURLY)
    trigger = parts.document.triggers[0]
    clockwork.look()
    assert schedule_input(world.records, parts.document, trigger) == Input()
    clockwork.look(hours=1)
    world.work(output={"count": 1})
    next_at = clockwork.row(parts).next_at
    given = schedule_input(world.records, parts.document, trigger)
    clockwork.look(hours=1)
    assert clockwork.orders()[-1].dataclip_id == given.dataclip_id
    assert next_at == int(world.now.timestamp()) * 1_000_000


def test_a_state_that_was_wiped_is_no_state(world: World, clockwork: Clockwork) -> None:
    parts = world.save(HOURLY)
    clockwork.look()
    clockwork.look(hours=1)
    world.work(output={"count": 1})
    world.do(WipeBodies(world.project_id, Part.ATTEMPTS, Id(b"\xff" * 16)))
    assert schedule_input(world.records, parts.document, parts.document.triggers[0]) == Input()


def test_switched_off_nothing_fires_and_on_again_nothing_is_made_up_for(world: World, clockwork: Clockwork) -> None:
    parts = world.save({**HOURLY, "catch_up": "all"})
    clockwork.look()
    world.save({**HOURLY, "catch_up": "all"}, like=parts, enabled=False)
    clockwork.look(hours=5)
    assert clockwork.orders() == []
    assert not ScheduleRow.objects.filter(trigger_id__in=parts.triggers, next_at__isnull=False).exists()
    world.save({**HOURLY, "catch_up": "all"}, like=parts)
    clockwork.look(seconds=1)
    assert clockwork.orders() == []
    clockwork.look(hours=1)
    assert len(clockwork.orders()) == 1


def test_another_time_counts_from_now_on_and_another_policy_changes_no_time(world: World, clockwork: Clockwork) -> None:
    parts = world.save(HOURLY)
    clockwork.look()
    before = clockwork.row(parts).next_at
    world.save({**HOURLY, "overlap": "skip"}, like=parts)
    clockwork.look(minutes=10)
    assert clockwork.row(parts).next_at == before
    world.save({"kind": "cron", "cron_expression": "*/20 * * * *"}, like=parts)
    clockwork.look()
    clockwork.look(minutes=10)
    (order,) = clockwork.orders()
    assert order.snapshot_id != parts.snapshot_id


def test_a_trigger_that_was_taken_out_leaves_nothing(world: World, clockwork: Clockwork) -> None:
    parts = world.save(HOURLY)
    clockwork.look()
    clockwork.look(hours=1)
    world.work(output={"count": 1})
    clockwork.ticker.pin_states()
    world.save({"kind": "manual"}, like=Parts(parts.document, parts.snapshot_id, parts.jobs, (Id(bytes(15) + b"\x01"),)))
    clockwork.look(hours=1)
    assert not ScheduleRow.objects.exists()
    assert [clip.pinned_by for clip in world.rows(Dataclip)] == [None]
    assert len(clockwork.orders()) == 1


def test_a_schedule_whose_jobs_are_off_starts_nothing(world: World, clockwork: Clockwork) -> None:
    parts = world.save(HOURLY, [{"enabled": False}])
    clockwork.look()
    clockwork.look(hours=1)
    assert clockwork.orders() == []
    assert clockwork.row(parts).waiting == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"kind": "cron", "cron_expression": "0 23 * * FRI"}, ["2027-01-01T23:00", "2027-01-08T23:00", "2027-01-15T23:00"]),
        ({"kind": "cron", "cron_expression": "00 00 01 * *"}, ["2027-02-01T00:00", "2027-03-01T00:00", "2027-04-01T00:00"]),
        ({"kind": "cron", "cron_expression": "0 */3 * * *"}, ["2027-01-01T03:00", "2027-01-01T06:00", "2027-01-01T09:00"]),
        ({"kind": "cron", "cron_expression": "@daily"}, ["2027-01-02T00:00", "2027-01-03T00:00", "2027-01-04T00:00"]),
        (
            {"kind": "interval", "every": "2 weeks", "anchor": "2027-01-02T23:00"},
            ["2027-01-02T23:00", "2027-01-16T23:00", "2027-01-30T23:00"],
        ),
    ],
    ids=["friday", "monthly", "hours", "daily", "interval"],
)
def test_the_next_firings_can_be_seen(world: World, fields: JSON, expected: list[str]) -> None:
    trigger = world.save(fields).document.triggers[0]
    found = next_firings(trigger, 3, world.now)
    assert [firing.at.isoformat()[:16] for firing in found] == expected
    assert all(firing.at == firing.local for firing in found)
