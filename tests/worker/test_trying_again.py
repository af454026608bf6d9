"""Jobs that are tried again, against a stub that fails first: waiting in the worker, and parked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from kivuko.platform.workflows.document import WorkflowDocument
from kivuko.records import AttemptState, Cause, ExitReason, Unpark
from systems.adaptor_repo import VERSIONS, adaptor_repo
from systems.loopback import Loopback, Reply, Request
from worker.rooms import Room, flow

HTTP = f"@openfn/language-http@{VERSIONS['http']}"
QUICK = {"max_tries": 3, "backoff_ms": 20, "jitter": False}


@pytest.fixture
def stub() -> Iterator[Loopback]:
    """A server that says yes unless it was told to fail."""

    def answer(request: Request) -> Reply:
        return Reply(200, {"ok": True})

    with Loopback(answer) as server:
        yield server


def asking(stub: Loopback, retry: Mapping[str, Any] | None, **more: str) -> WorkflowDocument:
    """A job that asks the stub, and another one after it."""
    job = {"expression": f"get('{stub.url}/patients');\nfn(s => ({{ data: s.data }}))", "adaptor": HTTP, "retry": retry}
    return flow({"Ask": job, "Then": "fn(s => s)", **more}, (None, "Ask", "always"), ("Ask", "Then", "on_job_success"))


def test_a_stub_that_fails_twice_gives_one_run_with_three_tries(any_room: Room, stub: Loopback) -> None:
    room = any_room
    room.worker(repo_dir=adaptor_repo("http"))
    document = asking(stub, QUICK)
    stub.fail_next(2, Reply(503, {"error": "busy"}))
    attempt = room.run(document)
    assert attempt.state is AttemptState.SUCCESS
    runs = room.world.runs(attempt.id)
    assert [(run.tries, run.exit_reason) for run in runs] == [(3, ExitReason.SUCCESS), (1, ExitReason.SUCCESS)]
    assert len(stub.requests) == 3
    told = [line.message for line in room.lines(attempt.id) if "tried again" in line.message]
    assert told == ["Ask will be tried again in 20ms (try 2)", "Ask will be tried again in 40ms (try 3)"]


def test_after_the_last_try_the_failure_stands(room: Room, stub: Loopback) -> None:
    room.worker(repo_dir=adaptor_repo("http"))
    document = asking(stub, {**QUICK, "max_tries": 2})
    stub.fail_next(9, Reply(503))
    attempt = room.run(document)
    (run,) = room.world.runs(attempt.id)
    assert (attempt.state, run.tries, run.exit_reason, len(stub.requests)) == (AttemptState.FAILED, 2, ExitReason.FAIL, 2)


@pytest.mark.parametrize(("status", "retry"), [(404, QUICK), (503, None)])
def test_what_is_no_matter_of_time_is_not_tried_again(room: Room, stub: Loopback, status: int, retry: Mapping[str, Any] | None) -> None:
    room.worker(repo_dir=adaptor_repo("http"))
    stub.fail_next(9, Reply(status))
    attempt = room.run(asking(stub, retry))
    assert (attempt.state, len(stub.requests)) == (AttemptState.FAILED, 1)


def test_a_person_who_starts_something_sees_its_error_at_once(room: Room, stub: Loopback) -> None:
    room.worker(repo_dir=adaptor_repo("http"))
    stub.fail_next(9, Reply(503))
    attempt = room.ended(room.world.begin(asking(stub, QUICK), body=b"{}", cause=Cause.MANUAL).attempt_id)
    assert (attempt.state, len(stub.requests)) == (AttemptState.FAILED, 1)


def test_a_long_pause_parks_the_attempt_and_it_goes_on_from_there(any_room: Room, stub: Loopback) -> None:
    room = any_room
    room.worker(repo_dir=adaptor_repo("http"))
    other = {"Other": "fn(s => ({ data: { other: true } }))"}
    document = asking(stub, {"max_tries": 3, "backoff_ms": 120_000, "jitter": False}, **other)
    trigger = document.triggers[0]
    edges = [*document.edges, flow_edge(document, "Other", trigger.id)]
    document = type(document)(**{**document.__dict__, "edges": tuple(edges)})
    stub.fail_next(1, Reply(503))
    started = room.send(document)
    room.until_state(started.attempt_id, AttemptState.PARKED)
    runs = room.runs(started.attempt_id, document)
    assert (runs["Ask"].finished_at, runs["Ask"].started_at, runs["Ask"].tries) == (None, None, 1)
    assert runs["Other"].exit_reason is ExitReason.SUCCESS
    let_time_pass(room)
    attempt = room.ended(started.attempt_id)
    assert attempt.state is AttemptState.SUCCESS
    runs = room.runs(attempt, document)
    assert {name: (run.tries, run.exit_reason) for name, run in runs.items()} == {
        "Ask": (2, ExitReason.SUCCESS),
        "Other": (1, ExitReason.SUCCESS),
        "Then": (1, ExitReason.SUCCESS),
    }
    then, other_job = runs["Then"].job_id, runs["Other"].job_id
    assert room.state(attempt.final_dataclip_id) == {str(other_job): {"data": {"other": True}}, str(then): {"data": {"ok": True}}}


def test_a_failure_before_the_pause_still_counts_after_it(room: Room, stub: Loopback) -> None:
    room.worker(repo_dir=adaptor_repo("http"))
    document = asking(stub, {"max_tries": 3, "backoff_ms": 120_000}, Other="fn(s => { throw new Error('other') })")
    document = type(document)(**{**document.__dict__, "edges": (*document.edges, flow_edge(document, "Other", document.triggers[0].id))})
    stub.fail_next(1, Reply(503))
    started = room.send(document)
    room.until_state(started.attempt_id, AttemptState.PARKED)
    let_time_pass(room)
    attempt = room.ended(started.attempt_id)
    assert (attempt.state, attempt.error_type) == (AttemptState.FAILED, "JobError")


def test_to_cancel_a_pause_ends_it(room: Room, stub: Loopback) -> None:
    room.worker(repo_dir=adaptor_repo("http"))
    document = asking(stub, {"max_tries": 3, "backoff_ms": 30_000})
    stub.fail_next(9, Reply(503))
    started = room.send(document)
    room.until_logged(started.attempt_id, "tried again")
    room.cancel(started.attempt_id)
    assert room.ended(started.attempt_id).state is AttemptState.CANCELLED
    assert len(stub.requests) == 1


def test_a_worker_that_stops_parks_what_waits(room: Room, stub: Loopback) -> None:
    worker = room.worker(repo_dir=adaptor_repo("http"))
    stub.fail_next(1, Reply(503))
    started = room.send(asking(stub, {"max_tries": 3, "backoff_ms": 30_000}))
    room.until_logged(started.attempt_id, "tried again")
    worker.stop(20)
    assert room.world.attempt(started.attempt_id).state is AttemptState.PARKED


def flow_edge(document: WorkflowDocument, name: str, trigger_id: object) -> Any:
    """One more edge from the trigger."""
    job = next(job for job in document.jobs if job.name == name)
    first = document.edges[0]
    return type(first)(**{**first.__dict__, "id": type(job.id)(bytes(reversed(job.id))), "target_job_id": job.id})


def let_time_pass(room: Room) -> None:
    """Makes every pause over."""
    connection = room.world.records.database.connect()
    connection.script("UPDATE live_attempt SET available_at = 1")
    connection.close()
    room.world.do(Unpark())
