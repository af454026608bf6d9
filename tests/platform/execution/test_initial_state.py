"""Initial state by cause (requirements §3.4), every row, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from kivuko.errors import BodyWiped
from kivuko.platform.execution import InitialStates
from kivuko.platform.workflows.document import TriggerDocument, WorkflowDocument
from kivuko.records import Cause, Id, Input, Started, WorkOrder, new_id, read_attempt
from kivuko.records.database import Database
from records.conftest import database, own_server, postgresql
from server.lanes.workers.worlds import Speaker, World, chain

__all__ = ["database", "own_server", "postgresql"]

FINAL = b'{"data":{"n":2},"references":[1],"response":{"status":200}}'
AT_ERROR = b'{"data":{"n":1},"errors":{"other":{"message":"before"}}}'


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """Records on each database."""
    with World(database) as opened:
        yield opened


def state_of(world: World, started: Started) -> bytes:
    """What the Attempt begins with."""
    with world.records.reading() as connection:
        record = read_attempt(connection, started.attempt_id)
        return InitialStates(connection, world.records.payloads).of_attempt(record, world.shelf.document(record.attempt.snapshot_id))


def read(world: World, started: Started) -> dict[str, Any]:
    """The same, read."""
    found: dict[str, Any] = json.loads(state_of(world, started))
    return found


def ended(world: World, started: Started, job_id: Id, **told: object) -> None:
    """A worker executes the only Run of an Attempt, with a line in its log."""
    worker: Speaker = world.worker(str(new_id()))
    topic = worker.take()
    step = {"step_id": str(started.run_ids[0]), "job_id": str(job_id)}
    worker.do(topic, "run:start")
    worker.do(topic, "step:start", step)
    logs = [{"seq": seq, "message": text, "step_id": step["step_id"]} for seq, text in ((1, "looking"), (2, "boom at line 3"))]
    worker.do(topic, "run:batch_logs", {"logs": logs})
    worker.do(topic, "step:complete", {**step, "output_dataclip_id": "out", "next": [], **told})
    worker.do(topic, "run:complete", {"reason": told["reason"], "error_type": told.get("error_type")})


def follower(kind: str, **fields: Any) -> WorkflowDocument:
    """A workflow behind a trigger of this kind."""
    document = chain("After")
    trigger = TriggerDocument(document.triggers[0].id, kind, enabled=True, **fields)
    return WorkflowDocument(document.id, document.project_id, "after", True, triggers=(trigger,), jobs=document.jobs, edges=document.edges)


FAILED = {
    "reason": "fail",
    "error_type": "JobError",
    "error": {"name": "JobError", "message": "boom", "line": 3},
    "output_dataclip": AT_ERROR,
}


def after_failure(
    world: World, told: dict[str, Any] | None = None, cause: Cause = Cause.FAILURE, **fields: Any
) -> tuple[dict[str, Any], Id]:
    """The state of a workflow that a failed Run has started; the failed job."""
    source = chain("Source")
    first = world.send(source, b'{"n":1}')
    ended(world, first, source.jobs[0].id, **(told or FAILED))
    (run,) = world.runs(first.attempt_id)
    (order,) = world.rows(WorkOrder)
    # As records.chains starts it: the output of the failed Run, or what it got.
    given = Input(order.message_id, order.message_version, run.output_dataclip_id or run.input_dataclip_id)
    started = world.begin(follower("failure", **fields), given, cause=cause, parent_run_id=run.id)
    return read(world, started), source.jobs[0].id


def test_a_message_gives_its_body_as_data_and_the_request(world: World) -> None:
    started = world.send(chain("One"), b'{"form":{"@id":"a"}}')
    assert state_of(world, started) == b'{"data":{"form":{"@id":"a"}},"request":{"method":"POST"}}'


def test_a_body_is_handed_on_byte_by_byte(world: World) -> None:
    body = b'{ "big": 123456789012345678901234567890.10, "a":1, "a":2 }'
    assert state_of(world, world.send(chain("One"), body)) == b'{"data":' + body + b',"request":{"method":"POST"}}'


def test_a_large_body_too(world: World) -> None:
    body = b'"' + b"x" * 100_000 + b'"'
    assert state_of(world, world.send(chain("One"), body)) == b'{"data":' + body + b',"request":{"method":"POST"}}'


@pytest.mark.parametrize("cause", [Cause.CRON, Cause.INTERVAL], ids=["cron", "interval"])
def test_a_first_tick_begins_with_nothing(world: World, cause: Cause) -> None:
    assert state_of(world, world.begin(chain("One"), cause=cause)) == b"{}"


@pytest.mark.parametrize("cause", [Cause.CRON, Cause.INTERVAL], ids=["cron", "interval"])
def test_a_tick_begins_with_the_last_final_state_as_it_is(world: World, cause: Cause) -> None:
    assert state_of(world, world.begin(chain("One"), cause=cause, body=FINAL)) == FINAL


def test_a_start_by_hand_begins_with_the_saved_input(world: World) -> None:
    assert state_of(world, world.begin(chain("One"), body=b'{"data":5}')) == b'{"data":5}'


def test_success_of_another_job_gives_its_final_state(world: World) -> None:
    source = chain("Source")
    first = world.send(source, b'{"n":1}')
    ended(world, first, source.jobs[0].id, reason="success", output_dataclip=FINAL)
    (run,) = world.runs(first.attempt_id)
    (order,) = world.rows(WorkOrder)
    given = Input(order.message_id, order.message_version, run.output_dataclip_id)
    started = world.begin(follower("success"), given, cause=Cause.SUCCESS, parent_run_id=run.id)
    assert state_of(world, started) == FINAL


def test_failure_gives_the_initial_state_of_the_failed_run_with_its_log_and_its_error(world: World) -> None:
    state, job = after_failure(world, failure_input="initial")
    assert state["data"] == {"n": 1}
    assert state["request"] == {"method": "POST"}
    assert state["error"] == "looking\nboom at line 3"
    assert state["errors"] == {str(job): {"source": "runtime", "name": "JobError", "severity": "fail", "message": "boom", "line": 3}}


def test_failure_at_the_error_gives_the_state_of_that_moment_and_both_kinds_of_error(world: World) -> None:
    state, job = after_failure(world, failure_input="at_error")
    assert state["data"] == {"n": 1}
    assert "request" not in state
    assert state["error"] == "looking\nboom at line 3"
    assert set(state["errors"]) == {"other", str(job)}


def test_the_error_that_the_state_holds_already_stays(world: World) -> None:
    told = {**FAILED, "output_dataclip": json.dumps({"errors": {"x": 1}}).encode()}
    state, job = after_failure(world, told, failure_input="at_error")
    assert set(state["errors"]) == {"x", str(job)}


@pytest.mark.parametrize(("reason", "error_type"), [("kill", "TimeoutError"), ("kill", "OOMError"), ("exception", "ExecutionError")])
def test_a_run_that_was_killed_left_no_state_so_it_is_the_initial_one(world: World, reason: str, error_type: str) -> None:
    # OpenFn's worker sends {} in its place (worker-protocol §10, scenarios 7 and 15).
    told = {"reason": reason, "error_type": error_type, "error_message": "too long", "output_dataclip": b"{}"}
    state, job = after_failure(world, told, failure_input="at_error")
    assert state["data"] == {"n": 1}
    assert state["errors"][str(job)]["name"] == error_type
    assert state["errors"][str(job)]["severity"] == reason


def test_a_crash_has_a_state_at_the_error(world: World) -> None:
    told = {"reason": "crash", "error_type": "ReferenceError", "error_message": "nope", "output_dataclip": b'{"data":{"seen":1}}'}
    state, _ = after_failure(world, told, failure_input="at_error")
    assert state["data"] == {"seen": 1}


def test_without_a_word_failure_gives_the_initial_state(world: World) -> None:
    assert "request" in after_failure(world)[0]


def test_who_does_it_again_gets_the_error_again(world: World) -> None:
    state, job = after_failure(world, cause=Cause.RERUN, failure_input="initial")
    assert state["error"] == "looking\nboom at line 3"
    assert list(state["errors"]) == [str(job)]


def test_a_state_that_is_no_object_becomes_data(world: World) -> None:
    state, _ = after_failure(world, {**FAILED, "output_dataclip": b"42"}, failure_input="at_error")
    assert state["data"] == 42


def test_the_credential_of_the_source_does_not_leak(world: World) -> None:
    told = {**FAILED, "output_dataclip": b'{"configuration":{"password":"s3cret"},"data":1}'}
    assert "configuration" not in after_failure(world, told, failure_input="at_error")[0]


def test_failure_of_a_failure_begins_with_what_the_failed_run_began_with(world: World) -> None:
    source = chain("Source")
    first = world.send(source, b'{"n":1}')
    ended(world, first, source.jobs[0].id, **FAILED)
    (run,) = world.runs(first.attempt_id)
    (order,) = world.rows(WorkOrder)
    given = Input(order.message_id, order.message_version, run.output_dataclip_id)
    second_document = follower("failure", failure_input="initial")
    second = world.begin(second_document, given, cause=Cause.FAILURE, parent_run_id=run.id)
    ended(world, second, second_document.jobs[0].id, **FAILED)
    (failed,) = world.runs(second.attempt_id)
    again = Input(order.message_id, order.message_version, failed.output_dataclip_id)
    third = world.begin(follower("failure", failure_input="initial"), again, cause=Cause.FAILURE, parent_run_id=failed.id)
    state = read(world, third)
    assert state["data"] == {"n": 1}
    assert state["request"] == {"method": "POST"}
    assert set(state["errors"]) >= {str(second_document.jobs[0].id)}


def test_a_wiped_input_is_an_error_and_never_an_empty_state(world: World) -> None:
    started = world.begin(chain("One"), body=b'{"data":5}')
    world.wipe(started)
    with pytest.raises(BodyWiped):
        state_of(world, started)
