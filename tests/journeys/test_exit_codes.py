"""How runs end (requirements §3.6): one real job for each code that a job can reach, on both databases."""

from __future__ import annotations

import pytest

from journeys.own_server import OwnServer, eventually, job_workflow
from journeys.test_initial_states import Scene

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.xdist_group("journeys")]
TABLE: dict[str, tuple[str, dict[str, object], int, str, str]] = {
    "success": ("fn(s => s);", {}, 0, "success", "success"),
    "thrown": ("fn(() => { throw new Error('handled'); });", {}, 1, "fail", "failure"),
    "rejected": ("fn(async () => { await Promise.reject(new Error('no')); });", {}, 1, "fail", "failure"),
    "not defined": ("fn(s => nowhere.x);", {}, 1, "crash", "failure"),
    "unknown operation": ("create('x');", {}, 1, "crash", "failure"),
    "too long": ("fn(async () => { await new Promise(() => setTimeout(() => {}, 60000)); });", {"timeout_ms": 700}, 2, "kill", "failure"),
    "unresponsive": ("fn(() => { while (true) {} });", {"timeout_ms": 700}, 2, "kill", "failure"),
    "out of memory": (
        "fn(() => { const all = []; while (true) all.push(new Array(100000).fill(all.length)); });",
        {"memory_mb": 64},
        134,
        "kill",
        "failure",
    ),
}


@pytest.fixture(scope="module")
def scene(place: OwnServer) -> Scene:
    return Scene(place, "codes")


@pytest.fixture(scope="module")
def message(scene: Scene) -> str:
    """One message that starts all the jobs of the table at once."""
    for name, (expression, limits, _, _, _) in TABLE.items():
        scene.save(name, expression, scene.message(), **limits)
    return str(scene.place.send(scene.inbox["url"], {})["message_id"])


@pytest.mark.parametrize("name", TABLE)
def test_a_run_ends_with_its_code(scene: Scene, message: str, name: str) -> None:
    _, _, code, reason, state = TABLE[name]
    (run,) = scene.runs(name)
    assert (run["exit_code"], run["exit_reason"]) == (code, reason), run["error"]
    (shown,) = [each for each in scene.place.get(f"/messages/{message}")["job_states"] if each["job_name"] == name]
    assert shown["state"] == state
    if code:
        assert run["error"]["message"]


def test_a_run_that_is_cancelled_has_code_4(place: OwnServer) -> None:
    scene = Scene(place, "cancelled")
    waits = "fn(async () => { console.log('waiting'); await new Promise(() => setTimeout(() => {}, 60000)); });"
    scene.save("Waits", waits, scene.message())
    place.send(scene.inbox["url"], {})
    run = eventually(lambda: next((each for each in place.all(f"/projects/{scene.project}/runs") if each["state"] == "started"), None), 60)
    assert place.post(f"/attempts/{run['attempt_id']}/cancel", {})["id"] == run["attempt_id"]
    (ended,) = scene.runs("Waits")
    assert (ended["state"], ended["exit_code"]) == ("cancelled", 4)
    refused = place.ask("POST", f"/api/v1/attempts/{run['attempt_id']}/cancel", b"{}", place.asking)
    assert (refused.status, refused.json["code"]) == (409, "already_finished")


def test_a_job_whose_adaptor_is_not_there_could_not_run(place: OwnServer) -> None:
    scene = Scene(place, "adaptor")
    missing = "@openfn/language-common@99.0.0"
    workflow = job_workflow("Missing", "fn(s => s);", scene.message())
    workflow["jobs"][0]["adaptor"] = missing
    place.post(f"/projects/{scene.project}/workflows", workflow)
    place.send(scene.inbox["url"], {})
    (run,) = scene.runs("Missing")
    assert (run["state"], run["exit_code"]) == ("exception", 3)
    assert missing in run["error"]["message"]
