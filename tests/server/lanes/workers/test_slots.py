"""What takes a worker's slots as the server sees them: who has a free one is told of work, and is listed as free."""

from __future__ import annotations

import pytest

from kivuko.errors import RecordsUnavailable
from kivuko.records import AttemptState, Expire, Id, new_id
from kivuko.records.rows import LiveAttempt, Worker
from kivuko.server.lanes.workers.slots import Slots
from server.lanes.workers.worlds import Speaker, World, chain

QUEUE = "worker:queue"


def offered(world: World, worker: Speaker) -> bool:
    """Whether the worker is told of work that comes now, or was since ``heard`` was emptied: it is told once until it claims."""
    world.desk.work_available()
    told: list[str] = worker.pushed("work-available")
    return told == [QUEUE]


@pytest.mark.parametrize("foreign", [True, False], ids=["openfns", "ours"])
def test_a_claim_takes_a_slot_until_it_may_be_joined_no_longer(world: World, foreign: bool) -> None:
    started = world.send(chain("One"))
    worker = world.worker(foreign=foreign, capacity=1)
    worker.claim()
    assert not offered(world, worker)
    world.now_s += 14.9
    assert not offered(world, worker)
    world.now_s += 0.2
    world.until_state(started.attempt_id, AttemptState.QUEUED)
    # It hears of what has come back by its own silence as well.
    world.until(lambda: worker.pushed("work-available") == [QUEUE])


@pytest.mark.parametrize("foreign", [True, False], ids=["openfns", "ours"])
def test_a_claim_whose_join_is_refused_takes_no_slot(world: World, foreign: bool) -> None:
    world.send(chain("One"))
    worker = world.worker(foreign=foreign, capacity=1)
    (run,) = worker.claim()
    assert worker.say(f"run:{run['id']}", "phx_join", {"token": "nonsense"}, "10").status == "error"
    world.until(lambda: offered(world, worker))


def test_a_topic_that_was_never_claimed_takes_no_slot_when_it_is_refused(world: World) -> None:
    worker = world.worker(foreign=True, capacity=1)
    for _ in range(3):
        assert worker.say(f"run:{new_id()}", "phx_join", {"token": "nonsense"}, "10").status == "error"
    world.until(lambda: offered(world, worker))


def test_what_could_not_be_joined_just_now_may_be_joined_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.send(chain("One"))
    worker = world.worker(foreign=True, capacity=1)
    (run,) = worker.claim()

    def away() -> None:
        raise RecordsUnavailable("The database is away.")

    with monkeypatch.context() as patched:
        patched.setattr(world.records, "reading", away)
        reply = worker.say(f"run:{run['id']}", "phx_join", {"token": run["token"]}, "10")
        assert reply.response == {"reason": "unavailable"}
    assert not offered(world, worker)
    worker.join(run)
    assert not offered(world, worker)


def test_what_openfns_worker_has_joined_takes_a_slot_until_it_ends_or_has_had_its_time(world: World) -> None:
    world.send(chain("One"))
    world.send(chain("One"))
    worker = world.worker(foreign=True, capacity=1)
    first = worker.take()
    worker.do(first, "run:start")
    assert not offered(world, worker)
    worker.do(first, "run:complete", {"reason": "success"})
    assert offered(world, worker)
    second = worker.take()
    worker.heard.clear()
    worker.do(second, "run:start")
    assert not offered(world, worker)
    world.now_s += world.services.limits.token_lives_s + 1
    assert offered(world, worker)


def test_what_was_taken_from_our_worker_takes_no_slot(world: World) -> None:
    started = world.send(chain("One"))
    worker = world.worker(capacity=1)
    topic = worker.take()
    worker.do(topic, "run:start")
    (live,) = world.rows(LiveAttempt)
    world.do(Expire(started.attempt_id, live.claim_number, live.renewed))
    assert not offered(world, worker)
    assert worker.do(QUEUE, "heartbeat", {"attempts": [str(started.attempt_id)]})["gone"] == [str(started.attempt_id)]
    assert offered(world, worker)


def test_the_list_of_workers_counts_a_handed_back_claim_as_free(any_world: World) -> None:
    world = any_world
    world.send(chain("One"))
    worker = world.worker(foreign=True, capacity=2)
    worker.claim()
    worker.do("phoenix", "heartbeat")
    world.until(lambda: [each.slots_free for each in world.rows(Worker)] == [1])
    world.now_s += 16
    worker.do("phoenix", "heartbeat")
    world.until(lambda: [each.slots_free for each in world.rows(Worker)] == [2])


def test_slots_are_counted_once_for_each_attempt() -> None:
    now = [0.0]
    slots = Slots(lambda: now[0])
    one, two, three = Id(b"1" * 16), Id(b"2" * 16), Id(b"3" * 16)
    slots.claimed({one: 1, two: 4})
    assert (slots.claim_number(two), slots.claim_number(three)) == (4, 0)
    assert slots.taken([one, three]) == 3
    slots.joined(two)
    assert (slots.claim_number(two), slots.taken([two, three])) == (0, 3)
    slots.freed([one, three])
    assert slots.taken([two, three]) == 1
    # Taken away once, and joined anew: it counts again.
    slots.joined(three)
    assert slots.taken([two, three]) == 2
    slots.claimed({one: 2})
    now[0] = 15.0
    assert (slots.taken([]), slots.claim_number(one)) == (0, 0)
