"""What a job begins with, by the cause of its run (requirements §3.4): through real triggers and a real worker, on both databases."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from journeys.own_server import OwnServer, eventually, job_workflow

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.xdist_group("journeys")]
KEEP = "fn(state => { console.log('SEEN ' + JSON.stringify(state)); return state; });"
FINISHED = ("success", "failed", "crashed", "killed", "exception", "lost", "cancelled")


class Scene:
    """A project with an inbox, and words for what happens in it."""

    def __init__(self, place: OwnServer, name: str) -> None:
        self.place = place
        self.project, self.inbox = place.project(f"{name}-{uuid.uuid4().hex[:8]}")

    def save(self, name: str, expression: str, trigger: Mapping[str, object], **job: object) -> dict[str, Any]:
        """A workflow of one job."""
        return self.place.post(f"/projects/{self.project}/workflows", job_workflow(name, expression, trigger, **job))  # type: ignore[no-any-return]

    def message(self) -> dict[str, object]:
        """A trigger on everything that arrives."""
        return {"kind": "message", "inbox_id": self.inbox["id"]}

    def runs(self, job: str, count: int = 1) -> list[dict[str, Any]]:
        """The finished runs of a job by its name, oldest first, once there are so many."""

        def finished() -> list[dict[str, Any]]:
            runs = [run for run in self.place.all(f"/projects/{self.project}/runs") if run["job_name"] == job]
            return runs[::-1] if len(runs) >= count and all(run["state"] in FINISHED for run in runs) else []

        return eventually(finished, 90)  # type: ignore[no-any-return]

    def seen(self, run: Mapping[str, Any]) -> Any:
        """The state that a run of KEEP was given."""
        log = [line["message"] for line in self.place.get(f"/runs/{run['id']}/log")["items"]]
        return json.loads(next(line for line in log if line.startswith("SEEN ")).removeprefix("SEEN "))

    def now(self, workflow: Mapping[str, Any], **start: object) -> None:
        """Starts a workflow by hand at its trigger."""
        self.place.post("/work_orders", {"workflow_id": workflow["id"], "start": {"trigger_id": workflow["triggers"][0]["id"]}, **start})


def test_a_message(place: OwnServer) -> None:
    scene = Scene(place, "message")
    credential = place.post(f"/projects/{scene.project}/credentials", {"name": "records", "body": {"username": "u", "password": "pw-77"}})
    scene.save(
        "Keep",
        "fn(s => { console.log('SEEN ' + JSON.stringify({...s, configuration: Object.keys(s.configuration)})); return s; });",
        scene.message(),
        credential_id=credential["id"],
    )
    place.ask(
        "POST", scene.inbox["url"] + "?q=1", b'{"a": [1, null]}', {"content-type": "application/json", "X-Mine": "y", "x-api-key": "k"}
    )
    (run,) = scene.runs("Keep")
    state = scene.seen(run)
    assert (run["cause"], state["data"], sorted(state["configuration"])) == ("message", {"a": [1, None]}, ["password", "username"])
    request = state["request"]
    assert (request["method"], request["path"][0], request["query_params"]) == ("POST", "inbox", {"q": "1"})
    assert request["headers"]["x-mine"] == "y"
    assert "x-api-key" not in request["headers"]
    final = place.get(f"/runs/{run['id']}/output")
    assert "configuration" not in final
    assert final["data"] == {"a": [1, None]}


def test_a_webhook(place: OwnServer) -> None:
    scene = Scene(place, "webhook")
    hook = scene.save("Keep", KEEP, {"kind": "webhook"})["triggers"][0]
    place.ask("POST", hook["url"] + "/more?q=1", b'{"a": 1}', {"content-type": "application/json"})
    (run,) = scene.runs("Keep")
    state = scene.seen(run)
    assert (run["cause"], state["data"]) == ("webhook", {"a": 1})
    assert (state["request"]["method"], state["request"]["query_params"], state["request"]["path"][-1]) == ("POST", {"q": "1"}, "more")


def test_a_schedule_begins_with_the_final_state_of_its_last_success(place: OwnServer) -> None:
    """R-024, R-025: a counter, three times; a failure in between; run now and a tick alike."""
    scene = Scene(place, "cron")
    count = (
        "fn(s => { console.log('SEEN ' + JSON.stringify(s)); const n = (s.n || 0) + 1; if (s.fail) throw new Error('no'); return { n }; });"
    )
    workflow = scene.save("Count", count, {"kind": "cron", "cron_expression": "0 0 1 1 *"})
    for at in range(1, 4):
        scene.now(workflow)
        assert len(scene.runs("Count", at)) == at
    assert [run["cause"] for run in scene.runs("Count")] == ["manual"] * 3
    assert [scene.seen(run).get("n") for run in scene.runs("Count")] == [None, 1, 2]
    scene.now(workflow, input={"body": {"n": 70, "fail": True}})
    assert [run["state"] for run in scene.runs("Count", 4)] == ["success"] * 3 + ["failed"]
    scene.now(workflow)
    assert scene.seen(scene.runs("Count", 5)[-1])["n"] == 3


def test_a_success_hands_on_the_final_state_across_workflows(place: OwnServer) -> None:
    """R-028, R-031: with the credential of its own, never that of the source."""
    scene = Scene(place, "success")
    credential = place.post(f"/projects/{scene.project}/credentials", {"name": "records", "body": {"password": "pw-78"}})
    first = scene.save("First", "fn(s => ({ ...s, data: { b: 2 }, references: [1] }));", scene.message(), credential_id=credential["id"])
    scene.save("Then", KEEP, {"kind": "success", "source_job_id": first["jobs"][0]["id"]})
    scene.save("Always", KEEP, {"kind": "always", "source_job_id": first["jobs"][0]["id"]})
    message = place.send(scene.inbox["url"], {"a": 1})["message_id"]
    (then,), (always,), (source,) = scene.runs("Then"), scene.runs("Always"), scene.runs("First")
    for run in (then, always):
        state = scene.seen(run)
        assert (state["data"], state["references"]) == ({"b": 2}, [1])
        assert not state.get("configuration")
        assert (run["parent_run_id"], run["message_id"]) == (source["id"], message)
    assert then["cause"] == "success"
    assert {each["job_name"] for each in place.get(f"/messages/{message}")["job_states"]} == {"First", "Then", "Always"}


@pytest.mark.parametrize("failure_input", ["initial", "at_error"])
def test_a_failure_hands_on_a_state_the_log_and_the_error(place: OwnServer, failure_input: str) -> None:
    scene = Scene(place, "failure")
    fails = "fn(s => { console.log('on the way'); s.step = 1; return s; });\nfn(s => { throw new Error('gone wrong'); });"
    first = scene.save("First", fails, scene.message())
    job = first["jobs"][0]["id"]
    scene.save("Catch", KEEP, {"kind": "failure", "source_job_id": job, "failure_input": failure_input})
    place.send(scene.inbox["url"], {"a": 1})
    (run,) = scene.runs("Catch")
    state = scene.seen(run)
    assert (run["cause"], state["data"]) == ("failure", {"a": 1})
    assert state.get("step") == (None if failure_input == "initial" else 1)
    assert isinstance(state["error"], str)
    assert "on the way" in state["error"]
    assert state["errors"][job]["message"] == "gone wrong"


def test_by_hand_and_again(place: OwnServer) -> None:
    scene = Scene(place, "hand")
    workflow = scene.save("Keep", KEEP, {"kind": "manual"})
    job = workflow["jobs"][0]["id"]
    place.post("/work_orders", {"workflow_id": workflow["id"], "start": {"job_id": job}})
    (empty,) = scene.runs("Keep")
    assert {key: value for key, value in scene.seen(empty).items() if value} == {}
    made = place.post(
        "/work_orders", {"workflow_id": workflow["id"], "start": {"job_id": job}, "input": {"body": {"data": {"x": 1}, "n": 2}}}
    )
    second = scene.runs("Keep", 2)[-1]
    assert (second["id"], scene.seen(second)["data"], scene.seen(second)["n"]) == (made["run_ids"][0], {"x": 1}, 2)
    clip = place.get(f"/runs/{second['id']}")["input"]["dataclip_id"]
    place.post("/work_orders", {"workflow_id": workflow["id"], "start": {"job_id": job}, "input": {"dataclip_id": clip}})
    third = scene.runs("Keep", 3)[-1]
    assert scene.seen(third)["n"] == 2
    place.post(f"/attempts/{third['attempt_id']}/retry", {})
    fourth = scene.runs("Keep", 4)[-1]
    assert (fourth["cause"], scene.seen(fourth)["n"]) == ("rerun", 2)


def test_a_rerun_begins_as_the_run_did_with_the_newest_version_of_the_message(place: OwnServer) -> None:
    """R-048, R-066: what ran first stays as it was."""
    if place.database_url:
        pytest.skip("ten seconds are long; tests/server/lanes/workers has every initial state on both databases")
    scene = Scene(place, "rerun")
    workflow = scene.save("Keep", KEEP, scene.message())
    message = place.send(scene.inbox["url"], {"v": 1})["message_id"]
    (first,) = scene.runs("Keep")
    place.post(f"/messages/{message}/versions", {"body": {"v": 2}})
    later(place, f"/runs/{first['id']}/rerun")
    second = scene.runs("Keep", 2)[-1]
    assert (second["cause"], second["message_version"], scene.seen(second)["data"]) == ("rerun", 2, {"v": 2})
    assert (place.get(f"/runs/{first['id']}")["message_version"], scene.seen(first)["data"]) == (1, {"v": 1})
    assert workflow["snapshot_id"] == first["snapshot_id"]


def later(place: OwnServer, path: str) -> None:
    """A start that the 10-second rule may put off once."""
    answer = place.ask("POST", f"/api/v1{path}", b"{}", place.asking)
    if answer.status == 429:
        wait = answer.json["retry_after_s"]
        assert wait <= 10
        eventually(lambda: place.ask("POST", f"/api/v1{path}", b"{}", place.asking).status == 201, wait + 5)
    else:
        assert answer.status == 201
