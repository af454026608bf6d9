"""The server dies in the middle of everything and comes back, on both databases.

A worker that is lost with it, a bulk rerun that goes on, and a project that keeps nothing: two jobs on a message, a chain, work taken over.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from journeys.canaries import places_with
from journeys.own_server import OwnServer, database_url, eventually, job_workflow
from journeys.test_initial_states import KEEP, Scene
from records.own_postgresql import MISSING, is_installed, own_postgresql
from systems.adaptor_repo import adaptor_repo

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.xdist_group("restarts")]
CANARY = f"canary-{uuid.uuid4()}"
LARGE = 1_500_000
"""Characters that take a body out of its row, into a file of its own."""
SLOW = "fn(async s => { console.log('begun'); await new Promise(done => setTimeout(done, 60000)); return s; });"
USES = (
    "fn(async s => { if (!s.data.secret) throw new Error('emptied'); await new Promise(done => setTimeout(done, 8000));"
    " return { data: { secret: s.data.secret, more: s.data.secret + '-out' } }; });"
)
AFTER = "fn(s => { if (!s.data.more) throw new Error('emptied'); return s; });"
MESSAGES = 40


@dataclass(frozen=True)
class Survived:
    """What was there before the server died."""

    server: OwnServer
    lost: Scene
    erased: Scene
    bulk: Scene
    operation: str
    before: Mapping[str, Any]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def survived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Survived]:
    with ExitStack() as stack:
        settings = {"KIVUKO_WORKER_CAPACITY": "10"}
        if request.param == "postgresql":
            if not is_installed():
                pytest.skip(MISSING)
            settings["DATABASE_URL"] = database_url(stack.enter_context(own_postgresql()))
        folder = tmp_path_factory.mktemp(f"restarts-{request.param}")
        server = stack.enter_context(OwnServer(folder, Path(adaptor_repo("common")), **settings))
        bulk, lost, erased = bulk_scene(server), lost_scene(server), erased_scene(server)
        asked = {"filter": {"inbox_id": bulk.inbox["id"]}, "order": "oldest", "rate_per_s": 3}
        operation = server.post(f"/projects/{bulk.project}/bulk_reruns", asked)["id"]
        server.send(lost.inbox["url"], {"a": 1})
        server.send(erased.inbox["url"], {"secret": CANARY})
        server.send(erased.inbox["url"], {"secret": CANARY, "filling": "x" * LARGE})
        eventually(lambda: under_way(lost) == 1 and under_way(erased) == 4, 60)
        before = eventually(lambda: (found := server.get(f"/operations/{operation}"))["done"] >= 3 and found, 60)
        server.kill()
        server.start_again()
        yield Survived(server, lost, erased, bulk, operation, before)


def under_way(scene: Scene) -> int:
    """How many runs of a project have begun and not ended."""
    return sum(run["state"] == "started" for run in scene.place.all(f"/projects/{scene.project}/runs"))


def lost_scene(server: OwnServer) -> Scene:
    """A job that must never run twice, and one that is there for when it is lost."""
    scene = Scene(server, "lost")
    workflow = {**job_workflow("Slow", SLOW, scene.message()), "when_lost": "hold"}
    slow = server.post(f"/projects/{scene.project}/workflows", workflow)["jobs"][0]["id"]
    scene.save("Catch", KEEP, {"kind": "failure", "source_job_id": slow})
    return scene


def erased_scene(server: OwnServer) -> Scene:
    """A project that keeps nothing."""
    scene = Scene(server, "erased")
    server.patch(f"/projects/{scene.project}", {"retention_policy": "erase_all"})
    first = scene.save("First", USES, scene.message())["jobs"][0]["id"]
    scene.save("Second", USES, scene.message())
    scene.save("After", AFTER, {"kind": "success", "source_job_id": first})
    return scene


def bulk_scene(server: OwnServer) -> Scene:
    """Messages that came before there was a job for them."""
    scene = Scene(server, "bulk")
    for at in range(MESSAGES):
        server.send(scene.inbox["url"], {"n": at})
    scene.save("Again", "fn(s => s);", scene.message())
    return scene


def test_what_was_lost_with_its_worker_starts_its_failure_trigger(survived: Survived) -> None:
    """R-029, the fifth kind of failure."""
    (lost,) = survived.lost.runs("Slow")
    (caught,) = survived.lost.runs("Catch")
    assert (lost["state"], lost["exit_code"], caught["cause"], caught["state"]) == ("lost", 4, "failure", "success")
    state = survived.lost.seen(caught)
    assert (state["data"], bool(state["error"])) == ({"a": 1}, True)


def test_a_bulk_rerun_goes_on_where_it_was(survived: Survived) -> None:
    server, scene = survived.server, survived.bulk
    assert survived.before["total"] == MESSAGES
    ended = eventually(lambda: (found := server.get(f"/operations/{survived.operation}"))["state"] == "done" and found, 60)
    assert (ended["done"] + ended["skipped"], ended["failed"]) == (MESSAGES, 0)
    runs = scene.runs("Again", MESSAGES)
    finished = [run for run in runs if run["state"] == "success"]
    # What was under way when the server died is taken over; no message is run by two.
    assert len({run["message_id"] for run in finished}) == len(finished) == MESSAGES


def test_a_project_that_keeps_nothing_has_kept_nothing(survived: Survived) -> None:
    server, scene = survived.server, survived.erased
    assert len([run for run in scene.runs("First", 2) if run["state"] == "success"]) == 2

    def settled() -> bool:
        runs = list(server.all(f"/projects/{scene.project}/runs"))
        good = [run["job_name"] for run in runs if run["state"] == "success"]
        return sorted(good) == ["After", "After", "First", "First", "Second", "Second"]

    eventually(settled, 90)
    assert not [run for run in server.all(f"/projects/{scene.project}/runs") if run["state"] not in ("success", "lost")]
    (newest, oldest) = server.get(f"/projects/{scene.project}/messages")["items"]
    for message in (newest, oldest):
        assert server.ask("GET", f"/api/v1/messages/{message['id']}/body", headers=server.asking).json["code"] == "wiped"
    eventually(lambda: not places_with(server, CANARY), 15)
    server.stop()
    assert places_with(server, CANARY) == []
