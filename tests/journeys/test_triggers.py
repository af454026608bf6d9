"""What starts what: failure triggers on every kind of failure, chains that never end, switches, and order, on both databases."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from journeys.mailbox import Mailbox
from journeys.own_server import OwnServer, Problem, eventually, job_workflow
from journeys.test_initial_states import KEEP, Scene

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.xdist_group("journeys")]

FAILURES: dict[str, tuple[str, dict[str, object]]] = {
    "error": ("fn(() => { throw new Error('no'); });", {}),
    "timeout": ("fn(() => { while (true) {} });", {"timeout_ms": 700}),
    "out of memory": ("fn(() => { const a = []; while (true) a.push(new Array(100000).fill(a.length)); });", {"memory_mb": 64}),
    "compile error": ("fn(s => nowhere.x);", {}),
}
DEEPEST_CHAIN = 25


def test_a_failure_trigger_fires_for_every_kind_of_failure(place: OwnServer) -> None:
    """R-029; the fifth kind, a lost worker, is in test_restarts.py."""
    scene = Scene(place, "catch")
    for name, (expression, limits) in FAILURES.items():
        job = scene.save(name, expression, scene.message(), **limits)["jobs"][0]["id"]
        scene.save(f"catch {name}", KEEP, {"kind": "failure", "source_job_id": job})
        scene.save(f"after {name}", KEEP, {"kind": "success", "source_job_id": job})
    place.send(scene.inbox["url"], {"a": 1})
    for name in FAILURES:
        (caught,) = scene.runs(f"catch {name}")
        (failed,) = scene.runs(name)
        state = scene.seen(caught)
        assert (caught["parent_run_id"], caught["cause"], caught["state"]) == (failed["id"], "failure", "success")
        assert (state["data"], bool(state["error"])) == ({"a": 1}, True)
    assert not [run for run in place.all(f"/projects/{scene.project}/runs") if run["job_name"].startswith("after")]


def test_a_chain_that_never_ends_is_stopped_and_told(place: OwnServer, mailbox: Mailbox) -> None:
    """R-032: two jobs that start each other."""
    scene = Scene(place, "pingpong")
    ping = scene.save("Ping", KEEP, scene.message())
    pong = scene.save("Pong", KEEP, {"kind": "success", "source_job_id": ping["jobs"][0]["id"]})
    back = {"id": None, "kind": "success", "enabled": True, "source_job_id": pong["jobs"][0]["id"]}
    del back["id"]
    whole: dict[str, Any] = place.get(f"/workflows/{ping['id']}")
    again = job_workflow("again", KEEP, back)
    whole["triggers"].append(again["triggers"][0])
    whole["edges"].append({**again["edges"][0], "target_job_id": ping["jobs"][0]["id"]})
    place.put(f"/workflows/{ping['id']}", whole)
    message = place.send(scene.inbox["url"], {})["message_id"]
    eventually(lambda: len(list(place.all(f"/messages/{message}/runs"))) > DEEPEST_CHAIN, 90)
    place.job_states(message)
    runs = list(place.all(f"/messages/{message}/runs"))
    assert len(runs) == DEEPEST_CHAIN + 1
    assert {run["state"] for run in runs} == {"success"}
    told = eventually(lambda: [text for text in mailbox.texts() if scene.project in text or "pingpong" in text], 60)
    assert any(str(DEEPEST_CHAIN) in text for text in told), told


def test_the_end_of_a_workflow_starts_another_and_its_source_cannot_be_taken_away(place: OwnServer) -> None:
    """R-031: two jobs in a row, then what waits for the whole; the source is refused to go while somebody waits for it."""
    scene = Scene(place, "ends")
    whole = job_workflow("First", "fn(s => ({ data: 1 }));", scene.message())
    last = job_workflow("Last", "fn(s => ({ data: s.data + 1 }));", {"kind": "manual"})["jobs"][0]
    joins = {"source_job_id": whole["jobs"][0]["id"], "target_job_id": last["id"], "condition_type": "on_job_success"}
    source = place.post(
        f"/projects/{scene.project}/workflows", {**whole, "jobs": [*whole["jobs"], last], "edges": [*whole["edges"], joins]}
    )
    scene.save("Then", KEEP, {"kind": "success", "source_workflow_id": source["id"]})
    message = place.send(scene.inbox["url"], {})["message_id"]
    (then,) = scene.runs("Then")
    assert (then["cause"], then["message_id"], scene.seen(then)["data"]) == ("success", message, 2)
    with pytest.raises(Problem) as refused:
        place.delete(f"/workflows/{source['id']}")
    assert (refused.value.status, "Then" in refused.value.document["detail"]) == (409, True)


def test_what_is_switched_off_is_not_started(place: OwnServer) -> None:
    """R-027, R-033: three jobs on, one off; the one shows as a possibility and can be run by hand."""
    scene = Scene(place, "switches")
    workflows = [scene.save(f"Job {at}", KEEP, scene.message()) for at in range(3)]
    off = {**job_workflow("Off", KEEP, scene.message()), "enabled": False}
    switched = place.post(f"/projects/{scene.project}/workflows", off)
    answer = place.send(scene.inbox["url"], {})
    assert sorted(answer["data"]) == ["Job 0", "Job 1", "Job 2"]
    assert len(place.job_states(answer["message_id"])) == 3
    assert {match["job_name"] for match in place.get(f"/messages/{answer['message_id']}")["matches"]} == {"Job 0", "Job 1", "Job 2", "Off"}
    place.post(f"/messages/{answer['message_id']}/runs", {"job_id": switched["jobs"][0]["id"]})
    assert len(scene.runs("Off")) == 1
    place.patch(f"/workflows/{workflows[0]['id']}", {"enabled": False})
    place.patch(f"/workflows/{switched['id']}", {"enabled": True})
    assert sorted(place.send(scene.inbox["url"], {})["data"]) == ["Job 1", "Job 2", "Off"]


def test_one_at_a_time_keeps_the_order_of_arrival(place: OwnServer) -> None:
    """R-067."""
    scene = Scene(place, "order")
    place.patch(f"/projects/{scene.project}", {"concurrency": 1})
    scene.save("Slow", "fn(async s => { await new Promise(done => setTimeout(done, 30)); return s; });", scene.message())
    sent = [place.send(scene.inbox["url"], {"n": at})["message_id"] for at in range(12)]
    runs = sorted(scene.runs("Slow", 12), key=lambda run: run["started_at"])
    assert [run["message_id"] for run in runs] == sent
    assert all(earlier["finished_at"] <= later["started_at"] for earlier, later in pairwise(runs))
