"""The desk: what is done later, what is left undone when it closes."""

from __future__ import annotations

from kivuko.records import AttemptState, HandBack, new_id
from kivuko.server.lanes.workers.services import Scrubbers
from server.lanes.workers.worlds import World, chain


def test_closing_ends_all_conversations(world: World) -> None:
    worker = world.worker()
    assert world.desk.connected == 1
    world.desk.close()
    assert world.desk.connected == 0
    assert worker.say("worker:queue", "claim", {"demand": 1}).status == "ok"


def test_what_is_claimed_while_the_desk_closes_is_given_back(any_world: World) -> None:
    started = any_world.send(chain("One"))
    worker = any_world.worker()
    any_world.desk.close()
    assert worker.say("worker:queue", "claim", {"demand": 1}).response == {"reason": "unavailable"}
    any_world.until_state(started.attempt_id, AttemptState.QUEUED)


def test_a_conversation_may_be_closed_twice_and_after_the_records(world: World) -> None:
    worker = world.worker(foreign=True)
    world.send(chain("One"))
    worker.take()
    world.records.close()
    worker.conversation.closed()
    worker.conversation.closed()
    assert worker.say("worker:queue", "claim", {"demand": 1}).response == {"reason": "unavailable"}


def test_a_report_that_is_refused_does_no_harm(world: World) -> None:
    world.desk.report(HandBack(new_id(), 1))
    started = world.send(chain("One"))
    worker = world.worker()
    worker.do(worker.take(), "run:complete", {"reason": "success"})
    assert world.attempt(started.attempt_id).state is AttemptState.SUCCESS


def test_what_is_put_off_is_done_once_when_its_time_has_come(world: World) -> None:
    done: list[str] = []
    world.desk.after(2.0, lambda: done.append("later"))
    world.desk.tick()
    assert done == []
    world.now_s += 2.0
    world.until(lambda: done == ["later"])
    world.desk.tick()
    assert done == ["later"]


def test_matchers_are_made_once_for_the_same_credentials() -> None:
    scrubbers = Scrubbers(at_most=1)
    first = scrubbers.of([{"password": "s3cret"}])
    assert first.text("s3cret") == "****"
    assert scrubbers.of([{"password": "s3cret"}]) is first
    assert scrubbers.of([{"password": "another"}]).text("s3cret") == "s3cret"
    assert scrubbers.of([{"password": "s3cret"}]) is not first
