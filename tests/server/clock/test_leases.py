"""A dead worker's lease is taken back in time; nobody else's is."""

from __future__ import annotations

import pytest

from kivuko.records import LEASE_US, AttemptState, Held, LiveState, Records, Renew
from kivuko.records.rows import Attempt, LiveAttempt
from kivuko.server.clock import LeaseChore, unpark
from records.queueing import queue
from records.scenes import SECOND, Scene
from records.workers import Hand, begun


class Watch:
    """The chore, and its monotonic clock."""

    def __init__(self, records: Records, scene: Scene) -> None:
        self.now_us, self._scene, self.expired = 0, scene, 0
        self.leases = LeaseChore(records, monotonic_us=lambda: self.now_us, on_expired=self._count)

    def _count(self) -> None:
        self.expired += 1

    def for_seconds(self, seconds: int) -> None:
        """Looks once a second."""
        for _ in range(seconds):
            self.now_us += SECOND
            self.leases.work()


@pytest.fixture
def watch(records: Records, scene: Scene) -> Watch:
    # Leases of these tests are long over by the database's clock: what counts is how long they are seen.
    scene.now_us -= 3600 * SECOND
    return Watch(records, scene)


def _renew(scene: Scene, hand: Hand) -> None:
    scene.do(Renew(scene.get(LiveAttempt, hand.id).worker_id, (Held(hand.id, hand.number),)))  # type: ignore[arg-type]


def test_a_dead_workers_attempt_is_lost_after_one_lease_and_a_second(watch: Watch, scene: Scene) -> None:
    hand = begun(scene)
    watch.for_seconds(LEASE_US // SECOND)
    assert hand.attempt.state is AttemptState.STARTED
    watch.for_seconds(1)
    assert hand.attempt.state is AttemptState.LOST
    assert watch.expired == 1
    (retry,) = scene.rows(LiveAttempt)
    assert (retry.state, retry.priority) == (LiveState.QUEUED, 0)


def test_whoever_renews_keeps_it(watch: Watch, scene: Scene) -> None:
    hand = begun(scene)
    for _ in range(4):
        watch.for_seconds(10)
        _renew(scene, hand)
    assert hand.attempt.state is AttemptState.STARTED


def test_a_machine_that_slept_has_seen_nothing(watch: Watch, scene: Scene) -> None:
    hand = begun(scene)
    watch.for_seconds(2)
    watch.now_us += 3600 * SECOND
    watch.for_seconds(LEASE_US // SECOND)
    assert hand.attempt.state is AttemptState.STARTED


def test_a_database_that_was_away_expires_nobody(watch: Watch, scene: Scene) -> None:
    hand = begun(scene)
    watch.for_seconds(10)
    watch.leases.missed()
    watch.for_seconds(10)
    assert hand.attempt.state is AttemptState.STARTED


def test_a_lease_that_was_renewed_meanwhile_is_left_alone(watch: Watch, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    hand = begun(scene)
    watch.for_seconds(LEASE_US // SECOND)
    submit = type(watch.leases._records).submit

    def renewed_first(*args: object, **options: object) -> object:
        _renew(scene, hand)
        return submit(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(type(watch.leases._records), "submit", renewed_first)
    watch.for_seconds(1)
    assert hand.attempt.state is AttemptState.STARTED


def test_parked_work_joins_the_queue(records: Records, scene: Scene) -> None:
    scene.now_us = records_now(records) - 60 * SECOND
    (due,) = queue(scene, available_at=scene.now_us + 30 * SECOND)
    (later,) = queue(scene, available_at=scene.now_us + 3600 * SECOND)
    work = unpark(records)
    assert work()
    assert not work()
    assert scene.get(Attempt, due).state is AttemptState.QUEUED
    assert scene.get(Attempt, later).state is AttemptState.PARKED


def records_now(records: Records) -> int:
    with records.reading() as connection:
        return connection.now_us()
