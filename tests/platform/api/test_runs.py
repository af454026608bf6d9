"""Runs: lists with their filters, CSV, payloads, logs; work orders; dataclips; workers."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from kivuko.records import Id, Needs, Register, Renew, Worker, new_id
from platform_api.world import World


@pytest.fixture
def history(world: World) -> dict[str, Any]:
    """Three messages: Good and Bad ran for each, Bad failed; a fourth waits."""
    good, bad = world.workflow("Good"), world.workflow("Bad")
    for n in range(3):
        world.message({"n": n})
    world.work(fails=[bad["jobs"][0]["id"]], lines=["hello", "world"], error={"name": "AdaptorError", "message": "no", "line": 7})
    waits = world.message({"n": 3})
    return {"good": good, "bad": bad, "waits": waits["id"], "good_job": good["jobs"][0]["id"], "bad_job": bad["jobs"][0]["id"]}


def found(world: World, query: str) -> list[tuple[str, str]]:
    listed = world.api.get(f"projects/{world.id}/runs?{query}")["items"]
    return [(each["job_name"], each["state"]) for each in listed]


def test_filters_narrow_the_list_of_runs(world: World, history: dict[str, Any]) -> None:
    assert len(found(world, "")) == 8
    assert found(world, "state=failed") == [("Bad", "failed")] * 3
    assert sorted(found(world, "state=queued")) == [("Bad", "queued"), ("Good", "queued")]
    assert len(found(world, "state=failed&state=success")) == 6
    assert found(world, "state=started&state=parked&state=claimed") == []
    assert len(found(world, f"job_id={history['good_job']}")) == 4
    assert len(found(world, f"workflow_id={history['bad']['id']}&state=failed")) == 3
    assert len(found(world, f"message_id={history['waits']}")) == 2
    assert found(world, "exit_code=1&error_name=JobError") == [("Bad", "failed")] * 3
    assert found(world, "exit_code=134") == []
    assert len(found(world, "cause=message")) == 8
    assert found(world, "cause=cron") == []
    assert len(found(world, "finished_after=2020-01-01T00:00:00Z")) == 6
    assert found(world, "started_before=2020-01-01T00:00:00Z") == []
    attempt = world.api.get(f"projects/{world.id}/runs?limit=1")["items"][0]["attempt_id"]
    assert len(found(world, f"attempt_id={attempt}")) == 1
    page = world.api.get(f"projects/{world.id}/runs?state=failed&limit=2&count=true")
    assert (page["count"], len(page["items"])) == (3, 2)
    assert len(found(world, f"state=failed&limit=2&cursor={page['next_cursor']}")) == 1


def test_a_run_says_everything_about_itself(world: World, history: dict[str, Any]) -> None:
    listed = world.api.get(f"projects/{world.id}/runs?state=failed&limit=1")["items"][0]
    assert "input" not in listed
    run = world.api.get(f"runs/{listed['id']}")
    assert (run["exit_code"], run["exit_reason"], run["adaptor"], run["worker"]) == (1, "fail", "@openfn/language-common@3.0.0", "worker-1")
    assert run["error"] == {
        "name": "AdaptorError", "message": "no", "operation": None, "line": 7, "column": None, "severity": None, "action": None,
    }  # fmt: skip
    assert run["duration_ms"] >= 0
    assert (run["input"]["preview"], run["output"]) == ('{"n": 2}', None)
    assert world.api.ask("GET", f"runs/{run['id']}/output").code == "not_found"
    good = world.api.get(f"projects/{world.id}/runs?state=success&limit=1")["items"][0]["id"]
    assert world.api.get(f"runs/{good}")["output"]["preview"] == '{"data":{"done":true}}'
    assert world.api.get(f"runs/{good}/output") == {"data": {"done": True}}


def test_the_list_is_a_table_for_spreadsheets_too(world: World, history: dict[str, Any]) -> None:
    answer = world.api.ask("GET", f"projects/{world.id}/runs?state=failed", headers={"Accept": "text/csv"})
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [row["job_name"] for row in rows] == ["Bad"] * 3
    assert rows[0]["exit_code"] == "1"


def test_logs_are_read_by_pages_by_filters_and_as_text(world: World, history: dict[str, Any]) -> None:
    run = world.api.get(f"projects/{world.id}/runs?state=success&limit=1")["items"][0]
    path = f"attempts/{run['attempt_id']}/log"
    first = world.api.get(f"{path}?limit=1")
    assert [(line["seq"], line["message"], line["run_id"]) for line in first["items"]] == [(1, "hello", run["id"])]
    assert [line["message"] for line in world.api.get(f"{path}?limit=1&cursor={first['next_cursor']}")["items"]] == ["world"]
    assert [line["message"] for line in world.api.get(f"{path}?after_seq=1")["items"]] == ["world"]
    assert [line["message"] for line in world.api.get(f"runs/{run['id']}/log?q=WOR")["items"]] == ["world"]
    assert world.api.get(f"{path}?q=%25")["items"] == []
    assert len(world.api.get(f"{path}?level=info&level=warn&source=JOB")["items"]) == 2
    assert world.api.get(f"{path}?level=error")["items"] == []
    text = world.api.ask("GET", path, headers={"Accept": "text/plain"})
    assert text.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert [line.split(" ", 1)[1] for line in text.body.decode().splitlines()] == ["JOB info hello", "JOB info world"]


def test_work_orders_are_listed_and_read(world: World, history: dict[str, Any]) -> None:
    path = f"projects/{world.id}/work_orders"
    assert len(world.api.get(path)["items"]) == 8
    failed = world.api.get(f"{path}?state=failed&workflow_id={history['bad']['id']}&count=true")
    assert ([each["workflow_name"] for each in failed["items"]], failed["count"]) == (["Bad"] * 3, 3)
    assert len(world.api.get(f"{path}?state=pending&message_id={history['waits']}")["items"]) == 2
    assert len(world.api.get(f"{path}?trigger_id={history['good']['triggers'][0]['id']}&cause=message")["items"]) == 4
    assert world.api.get(f"{path}?inserted_before=2020-01-01T00:00:00Z")["items"] == []
    assert len(world.api.get(f"{path}?last_activity_after=2020-01-01T00:00:00Z&limit=3")["items"]) == 3
    of_one = [f"trigger_id={history[name]['triggers'][0]['id']}" for name in ("good", "bad")]
    assert len(world.api.get(f"{path}?{'&'.join(of_one)}")["items"]) == 8
    assert len(world.api.get(f"{path}?{of_one[0]}&trigger_id={new_id()}")["items"]) == 4
    assert world.api.get(f"{path}?{of_one[0]}&workflow_id={history['bad']['id']}")["items"] == []
    assert world.api.get(f"{path}?trigger_id={new_id()}")["items"] == []
    order = world.api.get(f"work_orders/{failed['items'][0]['id']}")
    assert [(each["number"], each["state"], each["error_type"]) for each in order["attempts"]] == [(1, "failed", "JobError")]


def test_a_dataclip_is_named_and_read(world: World, history: dict[str, Any]) -> None:
    with world.records.reading() as connection:
        ((first,), *_) = connection.query("SELECT id FROM dataclip ORDER BY id")
    path = f"dataclips/{world.project.id.__class__(first)}"
    assert (world.api.get(path)["kind"], world.api.get(path)["name"]) == ("run_output", None)
    named = world.api.ask("PATCH", path, {"name": "a case without a date"})
    assert (named.status, named.json["name"]) == (200, "a case without a date")
    assert world.api.get(f"{path}/body") == {"data": {"done": True}}
    assert world.api.ask("PATCH", path, {"name": None}).json["name"] is None
    assert world.api.ask("PATCH", path, {}).status == 422


def test_workers_tell_what_they_do(world: World) -> None:
    (worker,) = world.api.get("workers")["items"]
    assert {key: worker[key] for key in ("name", "version", "kinds", "foreign", "capacity", "busy")} == {
        "name": "worker-1", "version": "1", "kinds": ["javascript"], "foreign": False, "capacity": 4, "busy": 0,
    }  # fmt: skip


def some_workers(world: World, *minutes_ago: int) -> list[Id]:
    """Workers last seen so long ago, besides the one that was never seen; their ids."""
    with world.records.reading() as connection:
        now_us = connection.now_us()
    made = [Worker(new_id(), f"{ago} min", "1", Needs.JAVASCRIPT, 0, 1, 1, now_us - ago * 60_000_000) for ago in minutes_ago]
    for worker in made:
        world.records.submit(Register(worker)).result(20)
    return [worker.id for worker in made]


def test_workers_are_listed_in_pages_the_last_seen_first(world: World) -> None:
    some_workers(world, 7, 3, 90, 5)
    first = world.api.get("workers?limit=2&count=true")
    assert ([worker["name"] for worker in first["items"]], first["count"], first["count_capped"]) == (["3 min", "5 min"], 5, False)
    second = world.api.get(f"workers?limit=2&cursor={first['next_cursor']}")
    assert [worker["name"] for worker in second["items"]] == ["7 min", "90 min"]
    last = world.api.get(f"workers?limit=2&cursor={second['next_cursor']}")
    assert ([worker["name"] for worker in last["items"]], last["next_cursor"]) == (["worker-1"], None)
    assert "count" not in second


def test_no_worker_is_missed_that_is_seen_while_somebody_turns_the_pages(world: World) -> None:
    there = [*some_workers(world, 0, 0, 0, 0), world.worker.id]
    found, cursor = [], ""
    while cursor is not None:
        page = world.api.get(f"workers?limit=2{cursor and '&cursor='}{cursor}")
        found += [worker["id"] for worker in page["items"]]
        cursor = page["next_cursor"]
        for worker_id in there[:4]:
            world.records.submit(Renew(worker_id, ())).result(20)
    assert sorted(found) == sorted(map(str, there))


@pytest.mark.parametrize("asked", ["cursor=AAAA", "cursor=!!", "limit=201", "limit=0", "name=x"])
def test_a_list_of_workers_that_cannot_be_made_is_refused(world: World, asked: str) -> None:
    assert world.api.ask("GET", f"workers?{asked}").status in (400, 422)
