"""Leases: renewed by heartbeat, over only when that is certain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kivuko.records.claims import Claim
from kivuko.records.ids import new_id
from kivuko.records.leases import FOREIGN_LEASE_US, LEASE_US, Held, Lease, LeaseWatch, Register, Renew, Unpark
from kivuko.records.rows import Attempt, LiveAttempt, Worker
from kivuko.records.states import AttemptState, LiveState, Needs
from records.queueing import claimed, queue
from records.scenes import SECOND, Scene


def test_a_heartbeat_renews_what_the_worker_holds_and_names_what_it_no_longer_does(scene: Scene) -> None:
    queue(scene, 2)
    worker = new_id()
    mine = scene.do(Claim(worker, 2))
    scene.after(5)
    held = (Held(mine[0].attempt_id, 1), Held(mine[1].attempt_id, 7), Held(new_id(), 1))
    renewal = scene.do(Renew(worker, held))
    assert renewal.gone == {held[1].attempt_id, held[2].attempt_id}
    first = scene.get(LiveAttempt, mine[0].attempt_id)
    assert (first.lease_until, first.renewed) == (scene.now_us + LEASE_US, 1)
    assert scene.get(LiveAttempt, mine[1].attempt_id).renewed == 0


def test_another_workers_attempt_cannot_be_renewed(scene: Scene) -> None:
    (attempt,) = queue(scene)
    claimed(scene)
    assert scene.do(Renew(new_id(), (Held(attempt, 1),))).gone == {attempt}


def test_heartbeats_of_many_workers_are_answered_each(scene: Scene) -> None:
    queue(scene, 6)
    workers = [new_id() for _ in range(3)]
    holding = {worker: scene.do(Claim(worker, 2)) for worker in workers}
    futures = [scene.writer.submit(Renew(worker, tuple(Held(each.attempt_id, 1) for each in holding[worker]))) for worker in workers]
    assert [future.result(10).gone for future in futures] == [frozenset()] * 3


def test_a_heartbeat_hears_of_cancelled_work(scene: Scene) -> None:
    (attempt,) = queue(scene)
    worker = new_id()
    scene.do(Claim(worker))
    scene.reader.query("UPDATE attempt SET cancel_requested_at = ? WHERE id = ?", 1, attempt)
    assert scene.do(Renew(worker, (Held(attempt, 1),))).cancel == {attempt}


def test_a_worker_is_remembered(scene: Scene) -> None:
    worker = Worker(new_id(), "dull-peaches", "0.1.0", Needs.JAVASCRIPT, 0, 5, 5, scene.now_us)
    scene.do(Register(worker))
    scene.after(1)
    scene.do(Renew(worker.id, (), slots_free=3))
    stored = scene.one(Worker)
    assert (stored.slots_free, stored.last_seen_at, stored.kinds) == (3, scene.now_us, Needs.JAVASCRIPT)


def test_parked_work_joins_the_queue_when_its_time_has_come(scene: Scene) -> None:
    later = queue(scene, available_at=scene.now_us + 10 * SECOND)
    queue(scene, available_at=scene.now_us + 60 * SECOND)
    assert scene.do(Unpark()) == 0
    assert claimed(scene, 5) == []
    scene.after(10)
    scene.changes.clear()
    assert scene.do(Unpark()) == 1
    assert "queued" in {change.kind for change in scene.changes}
    assert scene.get(LiveAttempt, later[0]).state is LiveState.QUEUED
    assert scene.get(Attempt, later[0]).state is AttemptState.QUEUED
    assert claimed(scene, 5) == later


class Clock:
    now = 0

    def __call__(self) -> int:
        return self.now


def _lease(left_us: int = LEASE_US) -> Lease:
    return Lease(new_id(), 1, 0, left_us)


def test_a_lease_is_over_only_after_it_was_seen_unchanged_for_a_full_lease() -> None:
    clock, lease = Clock(), _lease(left_us=-1)
    watch = LeaseWatch(monotonic_us=clock)
    assert watch.over([lease]) == []
    clock.now = LEASE_US - 1
    assert watch.over([lease]) == []
    clock.now = LEASE_US
    assert watch.over([lease]) == [lease]


def test_a_dead_workers_lease_is_over_one_lease_after_its_last_renewal_was_seen() -> None:
    clock, lease = Clock(), _lease()
    watch = LeaseWatch(monotonic_us=clock)
    for second in range(13):
        clock.now = second * SECOND
        over = watch.over([replace(lease, left_us=LEASE_US - clock.now)])
    assert [each.attempt_id for each in over] == [lease.attempt_id]


def test_a_long_lease_is_waited_for_to_its_end() -> None:
    clock, lease = Clock(), _lease(left_us=FOREIGN_LEASE_US)
    watch = LeaseWatch(monotonic_us=clock)
    watch.over([lease])
    clock.now = FOREIGN_LEASE_US - 1
    assert watch.over([replace(lease, left_us=1)]) == []
    clock.now = FOREIGN_LEASE_US
    assert watch.over([replace(lease, left_us=0)])


def test_a_renewal_begins_the_watch_anew() -> None:
    clock, lease = Clock(), _lease()
    watch = LeaseWatch(monotonic_us=clock)
    watch.over([lease])
    clock.now = LEASE_US
    assert watch.over([replace(lease, renewed=1)]) == []


@pytest.mark.parametrize("jump_us", [-3600 * SECOND, 3600 * SECOND], ids=["back", "forward"])
def test_a_clock_that_jumps_expires_nobody_early_and_nobody_late(jump_us: int) -> None:
    clock, lease = Clock(), _lease()
    watch = LeaseWatch(monotonic_us=clock)
    watch.over([lease])
    clock.now = LEASE_US - 1
    assert watch.over([replace(lease, left_us=1 - jump_us)]) == []
    clock.now = LEASE_US
    assert watch.over([replace(lease, left_us=-jump_us)])


def test_what_a_clock_far_behind_promises_is_not_believed() -> None:
    clock, lease = Clock(), _lease(left_us=24 * 3600 * SECOND)
    watch = LeaseWatch(monotonic_us=clock)
    watch.over([lease])
    clock.now = FOREIGN_LEASE_US
    assert watch.over([lease]) == [lease]


def test_a_database_that_was_away_expires_nobody() -> None:
    clock, lease = Clock(), _lease()
    watch = LeaseWatch(monotonic_us=clock)
    watch.over([lease])
    clock.now = LEASE_US
    watch.database_was_away()
    assert watch.over([lease]) == []
