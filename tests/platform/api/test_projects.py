"""Projects, their summaries, who I am."""

from __future__ import annotations

import pytest

from platform_api.world import World


def test_a_new_project_has_defaults_one_inbox_and_its_author_as_owner(small_world: World) -> None:
    answer = small_world.api.ask("POST", "projects", {"name": "district-7"})
    made = answer.json
    assert answer.status == 201
    assert answer.headers["Location"] == f"/api/v1/projects/{made['id']}"
    assert (made["concurrency"], made["timezone"], made["retention_policy"], made["lock_version"]) == (None, "UTC", "retain_all", 1)
    assert made["inserted_at"].endswith("Z")
    assert len(made["inserted_at"]) == len("2026-01-31T09:30:00.000000Z")
    assert len(small_world.api.get(f"projects/{made['id']}/inboxes")["items"]) == 1
    assert {"id": made["id"], "name": "district-7", "role": "owner"} in small_world.api.get("me")["projects"]


def test_a_client_may_choose_the_id_but_not_one_that_is_taken(small_world: World) -> None:
    chosen = {"id": "0192f0a1-7c3e-7b42-8d11-3f2a9c4e5b60", "name": "chosen"}
    assert small_world.api.post("projects", chosen)["id"] == chosen["id"]
    answer = small_world.api.ask("POST", "projects", {**chosen, "name": "other"})
    assert (answer.status, answer.code) == (409, "conflict")


def test_a_patch_changes_what_it_names_and_null_empties(small_world: World) -> None:
    path = f"projects/{small_world.id}"
    changed = small_world.api.ask("PATCH", path, {"concurrency": 2, "description": "the clinic"}).json
    assert (changed["concurrency"], changed["description"], changed["name"]) == (2, "the clinic", "clinic")
    changed = small_world.api.ask("PATCH", path, {"concurrency": None}).json
    assert (changed["concurrency"], changed["description"], changed["lock_version"]) == (None, "the clinic", 3)
    assert small_world.api.ask("PATCH", path, {"concurency": 2}).json["errors"].keys() == {"concurency"}


@pytest.mark.parametrize("behind", [{"headers": {"If-Match": '"1"'}}, {"body": {"lock_version": 1}}, {"headers": {"If-Match": '"x"'}}])
def test_a_change_of_an_old_version_is_refused_with_the_current_one(small_world: World, behind: dict[str, dict[str, object]]) -> None:
    path = f"projects/{small_world.id}"
    small_world.api.ask("PATCH", path, {"description": "newer"})
    headers = {name: str(value) for name, value in behind.get("headers", {}).items()}
    answer = small_world.api.ask("PATCH", path, {"description": "mine", **behind.get("body", {})}, headers)
    assert (answer.status, answer.code) == (412, "changed_meanwhile")
    assert answer.json["current"]["description"] == "newer"
    assert answer.json["current"]["lock_version"] == 2


def test_etags_match_what_is_current(small_world: World) -> None:
    path = f"projects/{small_world.id}"
    tag = small_world.api.ask("GET", path).headers["ETag"]
    unchanged = small_world.api.ask("GET", path, headers={"If-None-Match": tag})
    assert (unchanged.status, unchanged.body, unchanged.headers["ETag"]) == (304, b"", tag)
    changed = small_world.api.ask("PATCH", path, {"description": "mine"}, {"If-Match": tag})
    assert changed.status == 200
    assert changed.headers["ETag"] != tag
    assert small_world.api.ask("GET", path, headers={"If-None-Match": tag}).status == 200
    assert small_world.api.ask("PATCH", path, {"description": "x"}, {"If-Match": "*"}).status == 200


def test_a_project_is_deleted_once(small_world: World) -> None:
    assert small_world.api.ask("DELETE", f"projects/{small_world.id}", headers={"If-Match": '"7"'}).status == 412
    assert small_world.api.ask("DELETE", f"projects/{small_world.id}").status == 204
    assert small_world.api.ask("DELETE", f"projects/{small_world.id}").status == 404
    assert small_world.api.get("projects")["items"] == []
    assert small_world.api.ask("GET", f"projects/{small_world.id}/runs").status == 404


def test_lists_go_on_by_cursor_and_count_when_asked(world: World) -> None:
    for at in range(4):
        world.api.post("projects", {"name": f"p{at}"})
    first = world.api.get("projects?limit=3&count=true")
    assert [each["name"] for each in first["items"]] == ["p3", "p2", "p1"]
    assert (first["count"], first["count_capped"]) == (5, False)
    second = world.api.get(f"projects?limit=3&cursor={first['next_cursor']}")
    assert [each["name"] for each in second["items"]] == ["p0", "clinic"]
    assert second["next_cursor"] is None
    assert "count" not in second


def test_a_summary_counts_by_workflow_and_state(world: World) -> None:
    works, fails, waits = (world.workflow(name, inclusion={"for": name}) for name in ("Works", "Fails", "Waits"))
    for name in ("Works", "Works", "Fails"):
        world.message({"for": name})
    world.work(fails=[fails["jobs"][0]["id"]])
    world.message({"for": "Waits"})
    found = {each["name"]: each for each in world.api.get(f"projects/{world.id}/summary?days=1")["items"]}
    assert (found["Works"]["states"], found["Fails"]["states"], found["Waits"]["states"]) == ({"success": 2}, {"failed": 1}, {"queued": 1})
    assert [found[name]["oldest_waiting_at"] is not None for name in ("Works", "Fails", "Waits")] == [False, False, True]
    assert [found[name]["last_failure_at"] is not None for name in ("Works", "Fails", "Waits")] == [False, True, False]
    assert found["Waits"]["workflow_id"] == waits["id"] != works["id"]
