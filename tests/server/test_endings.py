"""Webhooks that are answered after completion: the final state, the job's own answer, or 504."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from kivuko.records import Claim, Dataclip, DataclipKind, EndAttempt, ExitReason, StartAttempt, new_id
from kivuko.server import Reply
from kivuko.server.times import rfc3339
from server.worlds import JSON, Answer, World


async def worked(world: World, reason: ExitReason, final: object = None, **ending: Any) -> None:
    """A worker does the next Attempt."""
    claimed: list[Any] = []
    while not claimed:
        claimed = list(await asyncio.wrap_future(world.records.submit(Claim(new_id(), 1))))
    (attempt,) = claimed
    await asyncio.wrap_future(world.records.submit(StartAttempt(attempt.attempt_id, attempt.claim_number)))
    if final is not None:
        stored = world.records.payloads.store(clip_id := new_id(), json.dumps(final).encode())
        ending["final"] = Dataclip(
            clip_id,
            world.project_id,
            DataclipKind.FINAL_STATE,
            attempt.attempt_id,
            None,
            stored.encoding,
            stored.body,
            None,
            stored.size_bytes,
        )
    await asyncio.wrap_future(world.records.submit(EndAttempt(attempt.attempt_id, attempt.claim_number, reason, **ending)))


def waited(world: World, reason: ExitReason, final: object = None, **ending: Any) -> Answer:
    """A sender posts and waits while a worker works."""

    async def both() -> Answer:
        asked = asyncio.create_task(world.asking("POST", world.hook_url, b"{}", headers=JSON))
        await worked(world, reason, final, **ending)
        async with asyncio.timeout(20):
            return await asked

    return world.run(both())


def test_success_is_the_final_state_with_what_there_is_to_know(any_world: World) -> None:
    world = any_world
    world.enter_hook(reply=Reply.AFTER_COMPLETION)
    answer = waited(world, ExitReason.SUCCESS, {"patients": [1, 2]})
    assert answer.status == 201
    assert answer.json["data"] == {"patients": [1, 2]}
    meta = answer.json["meta"]
    assert (meta["state"], meta["error_type"]) == ("success", None)
    assert meta["run_id"] == answer.headers["x-meta-run-id"]
    assert meta["work_order_id"] == answer.headers["x-meta-work-order-id"]
    assert meta["inserted_at"] <= meta["claimed_at"] <= meta["started_at"] <= meta["finished_at"]
    assert meta["finished_at"].endswith("Z")


def test_failure_shows_nothing_of_the_state(world: World) -> None:
    world.enter_hook(reply=Reply.AFTER_COMPLETION)
    answer = waited(world, ExitReason.FAIL, {"secret": "canary"}, error_type="JobError")
    assert answer.status == 201
    assert answer.json["data"]["message"].startswith("Run completed with status: failed.")
    assert (answer.json["meta"]["state"], answer.json["meta"]["error_type"]) == ("failed", "JobError")
    assert b"canary" not in answer.body


def test_the_trigger_may_choose_the_codes(world: World) -> None:
    world.enter_hook(reply=Reply.AFTER_COMPLETION, success_code=200, error_code=502)
    assert waited(world, ExitReason.SUCCESS, {}).status == 200
    assert waited(world, ExitReason.CRASH).status == 502


@pytest.mark.parametrize("reason", [ExitReason.SUCCESS, ExitReason.FAIL])
def test_the_job_may_answer_itself(world: World, reason: ExitReason) -> None:
    world.enter_hook(reply=Reply.AFTER_COMPLETION)
    answer = waited(world, reason, {"x": 1}, webhook_response=b'{"status":418,"body":{"tea":true}}')
    assert (answer.status, answer.json) == (418, {"tea": True})


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_body(world: World, status: int) -> None:
    world.enter_hook(reply=Reply.AFTER_COMPLETION)
    answer = waited(world, ExitReason.SUCCESS, {}, webhook_response=json.dumps({"status": status, "body": {"a": 1}}).encode())
    assert (answer.status, answer.body) == (status, b"")


@pytest.mark.parametrize(
    "given",
    [{"status": 99}, {"status": "200"}, {"status": True}, {"status": 700}, {"body": [1]}, {"body": "x"}, {"status": 200, "body": None}],
)
def test_an_answer_that_cannot_be_sent_is_explained(world: World, given: object) -> None:
    world.enter_hook(reply=Reply.AFTER_COMPLETION, error_code=500)
    answer = waited(world, ExitReason.SUCCESS, {}, webhook_response=json.dumps(given).encode())
    assert answer.status == 500
    assert "webhookResponse" in answer.json["data"]["message"]


def test_a_final_state_that_was_not_kept_is_null(world: World) -> None:
    world.enter_hook(reply=Reply.AFTER_COMPLETION)
    assert waited(world, ExitReason.SUCCESS).json["data"] is None


def test_a_sender_does_not_wait_for_ever(world: World) -> None:
    world.enter_hook(reply=Reply.AFTER_COMPLETION, response_timeout_s=0.01)
    answer = world.post(world.hook_url, {})
    assert (answer.status, answer.json["error"]) == (504, "timeout")
    assert answer.json["work_order_id"] == answer.headers["x-meta-work-order-id"]
    assert answer.json["message"]


def test_an_end_on_another_node_is_found_by_looking(world: World) -> None:
    """Nothing is heard here: the net under the news."""
    assert world.endings
    world.endings._look_every_s = 0.01
    world.endings.heard = lambda changes: None  # type: ignore[method-assign]
    world.enter_hook(reply=Reply.AFTER_COMPLETION)
    assert waited(world, ExitReason.SUCCESS, {"a": 1}).json["data"] == {"a": 1}


def test_nobody_is_left_waiting(world: World) -> None:
    assert world.endings
    world.enter_hook(reply=Reply.AFTER_COMPLETION)
    waited(world, ExitReason.SUCCESS, {})
    assert dict(world.endings._waiting) == {}


def test_times_are_rfc_3339() -> None:
    assert rfc3339(1_795_000_000_000_001) == "2026-11-18T11:06:40.000001Z"
    assert rfc3339(None) is None
