"""An Attempt that goes on from the midst: parked, or taking over from one that was lost."""

from __future__ import annotations

from typing import Any

from kivuko.platform.workflows.document import WorkflowDocument
from kivuko.records import AttemptState, Expire, Id, LiveState, Started, Unpark
from kivuko.records.rows import LiveAttempt
from server.lanes.workers.worlds import Speaker, World, chain


def begun(world: World, document: WorkflowDocument) -> tuple[Started, Speaker, str]:
    """A worker that has begun an Attempt."""
    started = world.send(document)
    worker = world.worker()
    topic = worker.take()
    worker.do(topic, "run:start", {"next": [{"job_id": str(document.jobs[0].id)}]})
    return started, worker, topic


def end_first(document: WorkflowDocument, worker: Speaker, topic: str, started: Started, **values: object) -> str:
    """Ends the first job with an output, leading to the second; the second Run."""
    first, second = document.jobs
    step = {"step_id": str(started.run_ids[0]), "job_id": str(first.id)}
    worker.do(topic, "step:start", step)
    follows = [{"job_id": str(second.id), "cause": "edge", "input_dataclip_id": "mine"}]
    told = {"reason": "success", "output_dataclip": b'{"data":1}', "output_dataclip_id": "mine", "next": follows, **values}
    (run_id,) = worker.do(topic, "step:complete", {**step, **told})["run_ids"]
    return str(run_id)


def lose(world: World, attempt_id: Id) -> None:
    """Its lease ends."""
    (live,) = world.rows(LiveAttempt, "WHERE attempt_id = ?", attempt_id)
    world.do(Expire(attempt_id, live.claim_number, live.renewed))


def plan_of_next(world: World) -> tuple[Speaker, str, dict[str, Any]]:
    """Another worker takes what waits."""
    worker = world.worker("w2")
    topic = worker.take()
    return worker, topic, worker.do(topic, "fetch:plan")


def test_a_parked_attempt_goes_on_with_its_unfinished_runs(any_world: World) -> None:
    world, document = any_world, chain("One", "Two")
    started, worker, topic = begun(world, document)
    second = end_first(document, worker, topic, started)
    worker.do(topic, "step:start", {"step_id": second, "job_id": str(document.jobs[1].id)})
    assert worker.do(topic, "run:parked", {"available_at": 1, "executed_ms": 50}) == {"state": "parked"}
    world.do(Unpark())
    other, topic, plan = plan_of_next(world)
    assert [(run["id"], run["job_id"], run["tries"]) for run in plan["runs"]] == [(second, str(document.jobs[1].id), 1)]
    assert (plan["queued"], plan["executed_ms"]) == ([], 50)
    assert plan["taken_over"] == {"reason": None, "error_type": None, "error_message": None, "leaves": []}
    assert other.do(topic, "fetch:dataclip", {"run_id": second}) == b'{"data":1}'


def test_a_retry_of_a_lost_attempt_goes_on_with_copies_of_its_frontier(any_world: World) -> None:
    world, document = any_world, chain("One", "Two")
    started, worker, topic = begun(world, document)
    second = end_first(document, worker, topic, started)
    lose(world, started.attempt_id)
    other, topic, plan = plan_of_next(world)
    ((run),) = plan["runs"]
    assert topic != f"run:{started.attempt_id}"
    assert run["id"] != second
    assert run["job_id"] == str(document.jobs[1].id)
    assert other.do(topic, "fetch:dataclip", {"run_id": run["id"]}) == b'{"data":1}'
    step = {"step_id": run["id"], "job_id": run["job_id"]}
    other.do(topic, "run:start")
    other.do(topic, "step:start", step)
    other.do(topic, "step:complete", {**step, "reason": "success", "output_dataclip": b"2", "output_dataclip_id": "x", "next": []})
    assert other.do(topic, "run:complete", {"reason": "success", "final_dataclip_id": "x"}) == {"state": "success"}


def test_leaves_of_earlier_tries_are_named_and_can_be_fetched(any_world: World) -> None:
    world, document = any_world, chain("One", "Two")
    started, worker, topic = begun(world, document)
    first, second = document.jobs
    step = {"step_id": str(started.run_ids[0]), "job_id": str(first.id)}
    failed = {"reason": "fail", "error_type": "JobError", "error": {"name": "JobError", "message": "boom"}}
    worker.do(topic, "step:complete", {**step, **failed, "output_dataclip": b'{"e":1}', "output_dataclip_id": "x", "next": []})
    # Another path goes on: a Run of the second job that nothing of the first leads to.
    worker.do(topic, "run:start", {"next": [{"job_id": str(first.id)}, {"job_id": str(second.id)}]})
    lose(world, started.attempt_id)
    other, topic, plan = plan_of_next(world)
    taken = plan["taken_over"]
    assert (taken["reason"], taken["error_type"], taken["error_message"]) == ("fail", "JobError", "boom")
    ((leaf),) = taken["leaves"]
    assert leaf["job_id"] == str(first.id)
    assert other.do(topic, "fetch:dataclip", {"id": leaf["dataclip_id"]}) == b'{"e":1}'
    other.do(topic, "run:start")
    assert other.do(topic, "run:complete", {"reason": "fail", "error_type": "JobError", "final_dataclip_id": leaf["dataclip_id"]})
    attempt = world.attempt(Id.parse(topic.removeprefix("run:")))
    assert attempt.state is AttemptState.FAILED
    assert str(attempt.final_dataclip_id) == leaf["dataclip_id"]


def test_an_attempt_that_was_lost_before_it_began_starts_at_its_node_again(any_world: World) -> None:
    world, document = any_world, chain("One")
    started = world.send(document)
    for number in range(5):
        worker = world.worker(f"w{number}")
        worker.take()
        lose(world, started.attempt_id)
    assert world.attempt(started.attempt_id).state is AttemptState.LOST
    _, _, plan = plan_of_next(world)
    assert plan["runs"] == []
    assert plan["taken_over"] is None
    assert [each["job_id"] for each in plan["queued"]] == [str(document.jobs[0].id)]


def test_openfns_worker_is_not_given_what_goes_on_from_the_midst(any_world: World) -> None:
    world, document = any_world, chain("One", "Two")
    started, worker, topic = begun(world, document)
    end_first(document, worker, topic, started)
    lose(world, started.attempt_id)
    assert world.worker("foreign", foreign=True).claim() == []
    (live,) = world.rows(LiveAttempt)
    assert live.state is LiveState.QUEUED
