"""Webhooks that are answered after completion: the final state, the job's own answer, or 504."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from kivuko.records import (
    Claim,
    Dataclip,
    DataclipKind,
    EndAttempt,
    EndRun,
    ExitReason,
    Line,
    StartAttempt,
    StartRun,
    WriteLogs,
    new_id,
    read_attempt,
)
from kivuko.server.lanes.ingest import Reply
from kivuko.server.times import rfc3339
from server.lanes.ingest.worlds import JSON, Answer, World


async def worked(world: World, reason: ExitReason, final: object = None, **ending: Any) -> None:
    """A worker does the next Attempt."""
    claimed: list[Any] = []
    while not claimed:
        claimed = list(await asyncio.wrap_future(world.records.submit(Claim(new_id(), 1))))
    (attempt,) = claimed
    await asyncio.wrap_future(world.records.submit(StartAttempt(attempt.attempt_id, attempt.claim_number)))
    await ran(world, attempt, reason)
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


async def ran(world: World, claimed: Any, reason: ExitReason) -> None:
    """The worker does the only job, with a line in its log."""
    with world.records.reading() as connection:
        (run,) = read_attempt(connection, claimed.attempt_id).runs
    whose = (claimed.attempt_id, claimed.claim_number)
    await asyncio.wrap_future(world.records.submit(StartRun(*whose, run.id, run.job_id)))
    await asyncio.wrap_future(world.records.submit(WriteLogs(*whose, (Line("done", 1, run_id=run.id),), first_seq=1)))
    await asyncio.wrap_future(world.records.submit(EndRun(*whose, run.id, run.job_id, reason)))


def waited(world: World, *reasons: ExitReason, final: object = None, url: str = "", **ending: Any) -> Answer:
    """A sender posts and waits while a worker works."""

    async def both() -> Answer:
        asked = asyncio.create_task(world.asking("POST", url or world.hook_url, b"{}", headers=JSON))
        for reason in reasons:
            await worked(world, reason, final, **ending)
        async with asyncio.timeout(20):
            return await asked

    return world.run(both())


def test_success_is_the_final_state_with_what_there_is_to_know(any_world: World) -> None:
    world = any_world
    world.enter_hook(reply=Reply.AFTER_COMPLETION)
    answer = waited(world, ExitReason.SUCCESS, final={"patients": [1, 2]})
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
    answer = waited(world, ExitReason.FAIL, final={"secret": "canary"}, error_type="JobError")
    assert answer.status == 201
    assert answer.json["data"]["message"].startswith("Run completed with status: failed.")
    assert (answer.json["meta"]["state"], answer.json["meta"]["error_type"]) == ("failed", "JobError")
    assert b"canary" not in answer.body


def test_the_trigger_may_choose_the_codes(world: World) -> None:
    world.enter_hook(reply=Reply.AFTER_COMPLETION, success_code=200, error_code=502)
    assert waited(world, ExitReason.SUCCESS, final={}).status == 200
    assert waited(world, ExitReason.CRASH).status == 502


@pytest.mark.parametrize("reason", [ExitReason.SUCCESS, ExitReason.FAIL])
def test_the_job_may_answer_itself(world: World, reason: ExitReason) -> None:
    world.enter_hook(reply=Reply.AFTER_COMPLETION)
    answer = waited(world, reason, final={"x": 1}, webhook_response=b'{"status":418,"body":{"tea":true}}')
    assert (answer.status, answer.json) == (418, {"tea": True})


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_body(world: World, status: int) -> None:
    world.enter_hook(reply=Reply.AFTER_COMPLETION)
    answer = waited(world, ExitReason.SUCCESS, final={}, webhook_response=json.dumps({"status": status, "body": {"a": 1}}).encode())
    assert (answer.status, answer.body) == (status, b"")


@pytest.mark.parametrize(
    "given",
    [{"status": 99}, {"status": "200"}, {"status": True}, {"status": 700}, {"body": [1]}, {"body": "x"}, {"status": 200, "body": None}],
)
def test_an_answer_that_cannot_be_sent_is_explained(world: World, given: object) -> None:
    world.enter_hook(reply=Reply.AFTER_COMPLETION, error_code=500)
    answer = waited(world, ExitReason.SUCCESS, final={}, webhook_response=json.dumps(given).encode())
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
    assert waited(world, ExitReason.SUCCESS, final={"a": 1}).json["data"] == {"a": 1}


def test_nobody_is_left_waiting(world: World) -> None:
    assert world.endings
    world.enter_hook(reply=Reply.AFTER_COMPLETION)
    waited(world, ExitReason.SUCCESS, final={})
    assert dict(world.endings._waiting) == {}


def test_an_inbox_may_wait_for_all_that_it_starts(any_world: World) -> None:
    world = any_world
    world.enter_inbox(world.target(name="one"), world.target(name="two"))
    world.configure(inbox=replace(world.inbox, reply=Reply.AFTER_COMPLETION))
    good = waited(world, ExitReason.SUCCESS, ExitReason.SUCCESS, url=world.inbox_url)
    assert (good.status, good.json["success"], good.json["match_count"], good.json["data"]) == (201, True, 2, ["one", "two"])
    assert [(job["exit_code"], job["log"]) for job in good.json["jobs"]] == [(0, ["done"]), (0, ["done"])]
    bad = waited(world, ExitReason.SUCCESS, ExitReason.FAIL, url=world.inbox_url)
    assert (bad.status, bad.json["success"]) == (206, False)
    assert sorted(job["exit_code"] for job in bad.json["jobs"]) == [0, 1]


def test_an_inbox_that_waits_answers_at_once_where_nothing_matches(world: World) -> None:
    world.configure(inbox=replace(world.inbox, reply=Reply.AFTER_COMPLETION))
    answer = world.post(world.inbox_url, {})
    assert (answer.status, answer.json["match_count"], answer.json["jobs"]) == (200, 0, [])


def test_an_inbox_that_has_waited_long_enough_says_where_to_ask(world: World) -> None:
    world.enter_inbox(world.target())
    world.configure(inbox=replace(world.inbox, reply=Reply.AFTER_COMPLETION, response_timeout_s=0.01))
    answer = world.post(world.inbox_url, {})
    assert (answer.status, answer.headers["location"]) == (202, f"/api/v1/messages/{answer.json['message_id']}")
    assert answer.json["status_url"] == answer.headers["location"]


def test_times_are_rfc_3339() -> None:
    assert rfc3339(1_795_000_000_000_001) == "2026-11-18T11:06:40.000001Z"
    assert rfc3339(None) is None
