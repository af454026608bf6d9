"""Starting by hand, doing it again, cancelling."""

from __future__ import annotations

from typing import Any

import pytest

from kivuko.records import Expire, StartAttempt
from own_platform import edge, job, trigger, workflow
from platform_api.world import World


def chain(world: World) -> dict[str, Any]:
    """A workflow of three jobs, one after the other; a manual trigger before them."""
    begins, jobs = trigger("manual"), [job(name) for name in ("First", "Second", "Third")]
    edges = [edge(begins, jobs[0]), edge(jobs[0], jobs[1]), edge(jobs[1], jobs[2])]
    made: dict[str, Any] = world.api.post(f"projects/{world.id}/workflows", workflow("Chain", [begins], jobs, edges))
    return made


def test_work_begins_at_a_job_or_a_trigger_on_a_body_a_dataclip_or_a_message(small_world: World) -> None:
    flow = chain(small_world)
    first, second = flow["jobs"][0]["id"], flow["jobs"][1]["id"]
    by_trigger = small_world.api.ask(
        "POST", "work_orders", {"workflow_id": flow["id"], "start": {"trigger_id": flow["triggers"][0]["id"]}, "input": {"body": {"n": 1}}}
    )
    assert by_trigger.status == 201
    assert by_trigger.headers["Location"] == f"/api/v1/attempts/{by_trigger.json['attempt_id']}"
    (run,) = small_world.api.get(f"attempts/{by_trigger.json['attempt_id']}")["runs"]
    assert (run["job_id"], run["cause"], run["state"], run["run_number"]) == (first, "manual", "queued", None)
    assert small_world.api.get(f"runs/{run['id']}/input") == {"n": 1}

    order = small_world.api.get(f"work_orders/{by_trigger.json['work_order_id']}")
    again = {"workflow_id": flow["id"], "start": {"job_id": second}, "input": {"dataclip_id": order["dataclip_id"]}}
    (run_id,) = small_world.api.post("work_orders", again)["run_ids"]
    assert (small_world.api.get(f"runs/{run_id}")["job_name"], small_world.api.get(f"runs/{run_id}/input")) == ("Second", {"n": 1})

    message = small_world.message({"n": 2})
    on_message = {**again, "input": {"message_id": message["id"]}}
    (run_id,) = small_world.api.post("work_orders", on_message)["run_ids"]
    assert small_world.api.get(f"runs/{run_id}")["run_number"] == 1
    refused = small_world.api.ask("POST", "work_orders", on_message)
    assert (refused.status, refused.code, refused.json["run_id"]) == (429, "too_soon", run_id)


def test_a_saved_body_keeps_every_digit(small_world: World) -> None:
    flow = chain(small_world)
    head = f'{{"workflow_id": "{flow["id"]}", "start": {{"job_id": "{flow["jobs"][0]["id"]}"}}, "input": '
    answer = small_world.api.ask("POST", "work_orders", (head + '{"body": {"a": 1.10, "b": 12345678901234567890}}}').encode())
    (run_id,) = answer.json["run_ids"]
    assert small_world.api.ask("GET", f"runs/{run_id}/input").body == b'{"a": 1.10, "b": 12345678901234567890}'


@pytest.mark.parametrize(
    ("start", "given", "path"),
    [
        ({}, {}, "start"),
        ({"job_id": "$unknown"}, {}, "start.job_id"),
        ({"trigger_id": "$unknown"}, {}, "start.trigger_id"),
        ({"job_id": "$job"}, {"message_id": "$unknown"}, "input.message_id"),
        ({"job_id": "$job"}, {"dataclip_id": "$unknown"}, "input.dataclip_id"),
        ({"job_id": "$job"}, {"dataclip_id": "$unknown", "body": 1}, "input"),
        ({"job_id": "$job"}, {"version": 2}, "input"),
    ],
)
def test_a_start_that_cannot_be_is_refused(small_world: World, start: dict[str, str], given: dict[str, Any], path: str) -> None:
    flow = chain(small_world)
    names = {"$job": flow["jobs"][0]["id"], "$unknown": small_world.id}
    body = {
        "workflow_id": flow["id"],
        "start": {key: names[value] for key, value in start.items()},
        "input": {key: names.get(value, value) for key, value in given.items()},
    }
    answer = small_world.api.ask("POST", "work_orders", body)
    assert (answer.status, list(answer.json["errors"])) == (422, [path])


def test_another_projects_input_is_none_of_ours(small_world: World) -> None:
    flow, stranger = chain(small_world), small_world.stranger()
    other = stranger.post("projects", {"name": "other"})["id"]
    inbox = stranger.get(f"projects/{other}/inboxes")["items"][0]["id"]
    foreign = stranger.post(f"projects/{other}/messages", {"inbox_id": inbox, "body": 1})["id"]
    answer = small_world.api.ask(
        "POST", "work_orders", {"workflow_id": flow["id"], "start": {"job_id": flow["jobs"][0]["id"]}, "input": {"message_id": foreign}}
    )
    assert list(answer.json["errors"]) == ["input.message_id"]


def test_a_run_is_run_again_with_what_is_newest_or_as_it_was(world: World) -> None:
    flow = world.workflow()
    message = world.message({"n": 1})
    world.work(fails=[flow["jobs"][0]["id"]])
    (old,) = world.api.get(f"messages/{message['id']}/runs")["items"]
    world.api.post(f"messages/{message['id']}/versions", {"body": {"n": 2}})
    newer = world.api.ask("PATCH", f"workflows/{flow['id']}", {"jobs": [{**flow["jobs"][0], "expression": "fn(s => s)"}]}).json
    found = []
    for asked in (b"", {"as_it_was": True}, {"version": 1}):
        world.later()
        (run_id,) = world.api.post(f"runs/{old['id']}/rerun", asked)["run_ids"]
        run = world.api.get(f"runs/{run_id}")
        assert run["cause"] == "rerun"
        found.append((run["message_version"], run["snapshot_id"], run["run_number"]))
    assert found == [(2, newer["snapshot_id"], 2), (1, flow["snapshot_id"], 3), (1, newer["snapshot_id"], 4)]
    assert world.api.ask("POST", f"runs/{old['id']}/rerun", {}).code == "too_soon"
    assert world.api.get(f"runs/{old['id']}") == {
        **world.api.get(f"runs/{old['id']}"),
        "state": "failed",
        "snapshot_id": flow["snapshot_id"],
    }


def test_an_attempt_is_retried_from_the_start_with_its_input_or_another(world: World) -> None:
    flow = chain(world)
    made = world.api.post(
        "work_orders", {"workflow_id": flow["id"], "start": {"job_id": flow["jobs"][0]["id"]}, "input": {"body": {"n": 1}}}
    )
    waiting = world.api.ask("POST", f"attempts/{made['attempt_id']}/retry", {})
    assert (waiting.status, waiting.code) == (409, "conflict")
    world.work()
    retried = world.api.ask("POST", f"attempts/{made['attempt_id']}/retry", {"from": "start"})
    assert retried.status == 201
    assert retried.json["work_order_id"] == made["work_order_id"]
    (run_id,) = retried.json["run_ids"]
    assert world.api.get(f"runs/{run_id}/input") == {"n": 1}
    world.work()
    other = world.api.post(f"attempts/{made['attempt_id']}/retry", {"input": {"body": {"n": 2}}})
    assert world.api.get(f"runs/{other['run_ids'][0]}/input") == {"n": 2}
    attempts = world.api.get(f"work_orders/{made['work_order_id']}")["attempts"]
    assert [(each["number"], each["state"], each["retry_of"]) for each in attempts] == [
        (1, "success", None),
        (2, "success", made["attempt_id"]),
        (3, "queued", made["attempt_id"]),
    ]


def test_an_attempt_is_retried_from_a_job_and_shows_what_came_before(small_world: World) -> None:
    flow = small_world.workflow()
    message = small_world.message({"n": 1})
    small_world.work()
    (run,) = small_world.api.get(f"messages/{message['id']}/runs")["items"]
    small_world.later()
    path = f"attempts/{run['attempt_id']}/retry"
    retried = small_world.api.post(path, {"from": run["job_id"], "as_it_was": True})
    attempt = small_world.api.get(f"attempts/{retried['attempt_id']}")
    assert [(each["id"], each["run_number"]) for each in attempt["runs"]] == [(retried["run_ids"][0], 2)]
    assert (attempt["snapshot_id"], attempt["number"]) == (flow["snapshot_id"], 2)
    assert list(small_world.api.ask("POST", path, {"from": small_world.id}).json["errors"]) == ["from"]
    assert small_world.api.ask("POST", path, {"from": "middle"}).status == 422
    assert small_world.api.ask("POST", path, {"from": "frontier"}).code == "conflict"


def test_a_lost_attempt_goes_on_from_its_frontier(world: World) -> None:
    world.workflow(when_lost="hold")
    message = world.message({"n": 1})
    (held,) = world.claim()
    world.records.submit(StartAttempt(held.attempt_id, held.claim_number)).result(20)
    world.records.submit(Expire(held.attempt_id, held.claim_number, 0)).result(20)
    (lost,) = world.api.get(f"messages/{message['id']}/runs")["items"]
    assert lost["state"] == "lost"
    world.later()
    retried = world.api.post(f"attempts/{lost['attempt_id']}/retry", {"from": "frontier"})
    (run,) = world.api.get(f"attempts/{retried['attempt_id']}")["runs"]
    assert (run["cause"], run["message_id"], run["run_number"], run["state"]) == ("message", message["id"], 2, "queued")
    world.work()
    assert world.api.get(f"messages/{message['id']}")["job_states"][0]["state"] == "success"


def test_what_waits_is_cancelled_at_once_and_only_once(small_world: World) -> None:
    small_world.workflow()
    message = small_world.message({"n": 1})
    (run,) = small_world.api.get(f"messages/{message['id']}/runs")["items"]
    cancelled = small_world.api.ask("POST", f"attempts/{run['attempt_id']}/cancel")
    assert (cancelled.status, cancelled.json["state"], cancelled.json["runs"][0]["state"]) == (202, "cancelled", "cancelled")
    again = small_world.api.ask("POST", f"attempts/{run['attempt_id']}/cancel")
    assert (again.status, again.code) == (409, "already_finished")
    assert small_world.api.get(f"messages/{message['id']}")["job_states"][0]["state"] == "failure"


def test_what_runs_is_asked_to_stop(small_world: World) -> None:
    small_world.workflow()
    small_world.message({"n": 1})
    (held,) = small_world.claim()
    asked = small_world.api.ask("POST", f"attempts/{held.attempt_id}/cancel")
    assert (asked.status, asked.json["state"]) == (202, "claimed")
    assert asked.json["cancel_requested_at"] is not None
    assert asked.json["worker"] == "worker-1"
