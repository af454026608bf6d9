"""Who still works on what: leases of both kinds of workers, claims that nobody joins, workers that go, cancels."""

from __future__ import annotations

from collections.abc import Mapping

from kivuko.platform.execution import Limits
from kivuko.records import AttemptState, Cancel, Change, Id, LiveState, Run
from kivuko.records.database import Database
from kivuko.records.rows import LiveAttempt
from server.lanes.workers.worlds import Speaker, World, chain

QUEUE = "worker:queue"


def live(world: World, attempt_id: Id) -> LiveAttempt:
    """An Attempt's entry in the queue."""
    (found,) = world.rows(LiveAttempt, "WHERE attempt_id = ?", attempt_id)
    return found


def lease_s(world: World, attempt_id: Id) -> float:
    """How long its lease still lasts, by the database's clock."""
    with world.records.reading() as connection:
        return ((live(world, attempt_id).lease_until or 0) - connection.now_us()) / 1e6


def began(world: World, worker: Speaker) -> tuple[Id, str]:
    """A worker has begun an Attempt; its topic."""
    started = world.send(chain("One"))
    topic = worker.take()
    worker.do(topic, "run:start")
    return started.attempt_id, topic


# Claims that nobody joins


def test_a_claim_that_is_not_joined_goes_back_after_fifteen_seconds(any_world: World) -> None:
    world = any_world
    started = world.send(chain("One"))
    world.worker().claim()
    world.now_s += 14.9
    world.desk.tick()
    assert world.attempt(started.attempt_id).state is AttemptState.CLAIMED
    world.now_s += 0.2
    world.until_state(started.attempt_id, AttemptState.QUEUED)
    assert world.attempt(started.attempt_id).expired_claims == 1


def test_what_our_worker_dies_with_before_it_has_joined_is_free_as_soon_as_what_it_had_begun(any_world: World) -> None:
    world = any_world
    first, second = world.send(chain("One")), world.send(chain("One"))
    world.worker("ours").claim()
    assert 10 < lease_s(world, first.attempt_id) <= 12
    world.worker("theirs", foreign=True).claim()
    assert 13 < lease_s(world, second.attempt_id) <= 15


def test_a_claim_that_is_joined_stays(any_world: World) -> None:
    world = any_world
    started = world.send(chain("One"))
    world.worker().take()
    world.now_s += 60
    world.desk.tick()
    assert world.attempt(started.attempt_id).state is AttemptState.CLAIMED


def test_a_claim_that_was_handed_on_meanwhile_is_left_alone(any_world: World) -> None:
    world = any_world
    started = world.send(chain("One"))
    first, second = world.worker("w1"), world.worker("w2")
    (run,) = first.claim()
    first.join(run)
    first.do(f"run:{run['id']}", "run:hand_back")
    topic = second.take()
    second.do(topic, "run:start")
    world.now_s += 60
    world.desk.tick()
    assert world.attempt(started.attempt_id).state is AttemptState.STARTED


def test_what_is_claimed_for_a_worker_that_has_gone_is_given_back_at_once(any_world: World) -> None:
    world = any_world
    started = world.send(chain("One"))
    worker = world.worker(inline=False)
    worker.conversation.closed()
    assert worker.say(QUEUE, "claim", {"demand": 1}).response == {"reason": "unavailable"}
    world.until_state(started.attempt_id, AttemptState.QUEUED)
    assert world.attempt(started.attempt_id).expired_claims == 0


# OpenFn's workers


def test_openfns_worker_has_ninety_seconds_from_its_join(any_world: World) -> None:
    world = any_world
    started = world.send(chain("One"))
    world.worker(foreign=True).take()
    assert 80 < lease_s(world, started.attempt_id) <= 90


def test_its_heartbeat_renews_what_it_has_joined(any_world: World) -> None:
    world, worker = any_world, any_world.worker(foreign=True)
    attempt, _ = began(world, worker)
    before = live(world, attempt).renewed
    assert worker.do("phoenix", "heartbeat") == {}
    world.until(lambda: live(world, attempt).renewed == before + 1)


def test_after_its_time_and_the_grace_it_is_renewed_no_longer(database: Database) -> None:
    with World(database, limits=Limits(attempt_timeout_ms=60_000, grace_s=10)) as world:
        worker = world.worker(foreign=True)
        attempt, _ = began(world, worker)
        other = world.send(chain("Two"))
        worker.take()
        world.now_s += 71
        before, renewed = live(world, attempt).renewed, live(world, other.attempt_id).renewed
        worker.do("phoenix", "heartbeat")
        # The other one has not begun: installing adaptors takes as long as it takes.
        world.until(lambda: live(world, other.attempt_id).renewed == renewed + 1)
        assert live(world, attempt).renewed == before


def test_after_a_closed_socket_it_has_a_minute_at_most(any_world: World) -> None:
    world, worker = any_world, any_world.worker(foreign=True)
    attempt, _ = began(world, worker)
    worker.conversation.closed()
    world.until(lambda: lease_s(world, attempt) <= 60)
    assert lease_s(world, attempt) > 40
    assert world.attempt(attempt).state is AttemptState.STARTED


def test_a_rest_shorter_than_a_minute_is_not_lengthened(any_world: World) -> None:
    world, worker = any_world, any_world.worker(foreign=True)
    attempt, _ = began(world, worker)
    world.now_s += 40
    before = live(world, attempt).renewed
    worker.conversation.closed()
    assert live(world, attempt).renewed == before


def test_it_joins_again_after_a_reconnect_and_goes_on(any_world: World) -> None:
    world, worker = any_world, any_world.worker(foreign=True)
    started = world.send(chain("One"))
    (run,) = worker.claim()
    worker.join(run)
    worker.conversation.closed()
    again = world.worker(foreign=True)
    again.join(run)
    again.do(f"run:{run['id']}", "run:complete", {"reason": "success"})
    assert world.attempt(started.attempt_id).state is AttemptState.SUCCESS


def test_leaving_the_topic_in_the_midst_loses_the_attempt_after_a_moment(any_world: World) -> None:
    world, worker = any_world, any_world.worker(foreign=True)
    attempt, topic = began(world, worker)
    worker.do(topic, "phx_leave", ref="10")
    world.desk.tick()
    assert world.attempt(attempt).state is AttemptState.STARTED
    world.now_s += 3
    world.until_state(attempt, AttemptState.LOST)


def test_leaving_and_joining_in_one_go_is_no_death(any_world: World) -> None:
    world, worker = any_world, any_world.worker(foreign=True)
    started = world.send(chain("One"))
    (run,) = worker.claim()
    worker.join(run, "10")
    topic = f"run:{run['id']}"
    worker.do(topic, "run:start")
    worker.do(topic, "phx_leave", ref="10")
    worker.join(run, "12")
    world.now_s += 3
    world.desk.tick()
    worker.do(topic, "run:complete", {"reason": "success"})
    assert world.attempt(started.attempt_id).state is AttemptState.SUCCESS


def test_leaving_after_the_end_changes_nothing(any_world: World) -> None:
    world, worker = any_world, any_world.worker(foreign=True)
    attempt, topic = began(world, worker)
    worker.do(topic, "run:complete", {"reason": "success"})
    worker.do(topic, "phx_leave", ref="10")
    world.now_s += 3
    world.desk.tick()
    assert world.attempt(attempt).state is AttemptState.SUCCESS


def test_a_late_end_overrules_lost(any_world: World) -> None:
    # R5: the claim number is still the current one.
    world, worker = any_world, any_world.worker(foreign=True)
    started = world.send(chain("One"))
    (run,) = worker.claim()
    worker.join(run, "10")
    topic = f"run:{run['id']}"
    worker.do(topic, "run:start")
    worker.do(topic, "phx_leave", ref="10")
    world.now_s += 3
    world.until_state(started.attempt_id, AttemptState.LOST)
    again = world.worker(foreign=True)
    again.join(run)
    again.do(topic, "run:complete", {"reason": "success"})
    assert world.attempt(started.attempt_id).state is AttemptState.SUCCESS


# Our workers


def test_our_worker_is_renewed_by_a_heartbeat_that_names_its_attempts(any_world: World) -> None:
    world, worker = any_world, any_world.worker()
    first, _ = began(world, worker)
    second, _ = began(world, worker)
    names = sorted([str(first), str(second)])
    assert worker.do(QUEUE, "heartbeat", {"attempts": names}) == {"renewed": names, "gone": []}
    assert 5 < lease_s(world, first) <= 12
    assert worker.do("phoenix", "heartbeat") == {}
    assert live(world, first).renewed == 1


def test_a_heartbeat_names_what_has_been_taken_away(any_world: World) -> None:
    world, worker = any_world, any_world.worker()
    attempt, topic = began(world, worker)
    assert worker.do(topic, "run:abandoned") == {"state": "lost"}
    assert worker.do(QUEUE, "heartbeat", {"attempts": [str(attempt)]}) == {"renewed": [], "gone": [str(attempt)]}


def test_a_heartbeat_with_nonsense_in_it_does_no_harm(world: World) -> None:
    worker = world.worker()
    for attempts in (None, "x", 5, [1, "x", None, "0" * 32]):
        assert worker.do(QUEUE, "heartbeat", {"attempts": attempts}) == {"renewed": [], "gone": []}


def test_a_worker_of_ours_that_leaves_a_topic_keeps_its_lease(any_world: World) -> None:
    world, worker = any_world, any_world.worker()
    attempt, topic = began(world, worker)
    worker.do(topic, "phx_leave", ref="10")
    world.now_s += 3
    world.desk.tick()
    assert world.attempt(attempt).state is AttemptState.STARTED


# Cancels


def test_a_cancel_is_pushed_to_the_worker_that_holds_the_attempt(any_world: World) -> None:
    world, worker, other = any_world, any_world.worker("w1"), any_world.worker("w2")
    attempt, topic = began(world, worker)
    world.do(Cancel(attempt))
    world.until(lambda: worker.pushed("run:cancel") == [topic])
    assert other.pushed("run:cancel") == []
    assert worker.do(topic, "run:complete", {"reason": "cancel"}) == {"state": "cancelled"}


def test_a_cancel_that_another_node_took_comes_with_the_next_heartbeat(any_world: World) -> None:
    world, worker = any_world, any_world.worker()
    attempt, topic = began(world, worker)
    heard = world.desk.heard
    world.desk.heard = lambda changes: None  # type: ignore[method-assign]
    world.do(Cancel(attempt))
    world.desk.heard = heard  # type: ignore[method-assign]
    assert worker.do(QUEUE, "heartbeat", {"attempts": [str(attempt)]})["renewed"] == [str(attempt)]
    assert worker.pushed("run:cancel") == [topic]


def test_openfns_worker_ignores_a_cancel_and_is_heard_out(any_world: World) -> None:
    world, worker = any_world, any_world.worker(foreign=True)
    document = chain("One")
    started = world.send(document)
    topic = worker.take()
    worker.do(topic, "run:start")
    world.do(Cancel(started.attempt_id))
    world.until(lambda: worker.pushed("run:cancel") == [topic])
    step: Mapping[str, object] = {"step_id": "11111111-2222-4333-8444-555555555555", "job_id": str(document.jobs[0].id)}
    worker.do(topic, "step:start", step)
    worker.do(topic, "run:log", {"message": ["still here"], "step_id": step["step_id"]})
    worker.do(topic, "step:complete", {**step, "reason": "success", "output_dataclip": "{}", "output_dataclip_id": "x"})
    worker.do(topic, "run:complete", {"reason": "success", "final_state": {}})
    assert world.attempt(started.attempt_id).state is AttemptState.CANCELLED
    assert {run.exit_code for run in world.rows(Run)} == {4}
    # Its slot is held until it leaves the topic.
    assert live(world, started.attempt_id).state is LiveState.LEAVING
    worker.do(topic, "phx_leave", ref="10")
    world.until(lambda: not world.rows(LiveAttempt))


# New work


def test_new_work_is_told_to_workers_with_free_slots_once_until_they_claim(any_world: World) -> None:
    world, document = any_world, chain("One")
    free, full = world.worker("free", capacity=2), world.worker("full", capacity=1)
    world.send(chain("Other"))
    full.take()
    free.heard.clear()
    full.heard.clear()
    free.claim()
    for _ in range(3):
        world.send(document)
    world.until(lambda: free.pushed("work-available") == [QUEUE])
    world.desk.heard([Change("queued", None, document.id)])
    assert free.pushed("work-available") == [QUEUE]
    assert full.pushed("work-available") == []
    free.claim()
    world.send(document)
    world.until(lambda: free.pushed("work-available") == [QUEUE, QUEUE])


def test_nobody_is_told_after_leaving_the_queue(world: World) -> None:
    gone, left = world.worker("gone"), world.worker("left")
    gone.conversation.closed()
    left.do(QUEUE, "phx_leave", ref="6")
    world.send(chain("One"))
    world.desk.work_available()
    assert gone.pushed("work-available") == left.pushed("work-available") == []


def test_never_more_than_was_asked_for(any_world: World) -> None:
    world, document = any_world, chain("One")
    for _ in range(5):
        world.send(document)
    ours, foreign = world.worker("w1"), world.worker("w2", foreign=True)
    assert len(foreign.do(QUEUE, "claim", {"demand": 1})["runs"]) == 1
    assert len(ours.claim(3)) == 3
    for demand in (0, -1, "x", None):
        assert len(ours.do(QUEUE, "claim", {"demand": demand})["runs"]) <= 1
