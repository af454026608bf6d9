"""Workflows as documents: created, replaced, patched, restored."""

from __future__ import annotations

from own_platform import edge, job, trigger, workflow
from platform_api.world import World


def test_a_document_comes_back_as_it_was_written(world: World) -> None:
    begins, works = trigger("webhook", custom_path="cases"), job("Referral", retry={"max_tries": 2})
    written = workflow("Cases", [begins], [works], [edge(begins, works)], positions={works["id"]: {"x": 1, "y": 2.5}})
    answer = world.api.ask("POST", f"projects/{world.id}/workflows", written)
    made = answer.json
    assert answer.status == 201
    assert answer.headers["Location"] == f"/api/v1/workflows/{written['id']}"
    assert (made["id"], made["lock_version"], made["project_id"]) == (written["id"], 1, world.id)
    assert made["triggers"][0]["url"] == f"https://kivuko.example.org/i/{world.id}/cases"
    assert made["jobs"][0]["retry"] == {"max_tries": 2, "backoff_ms": 1000, "factor": 2, "jitter": True, "max_backoff_ms": 3600000}
    assert world.api.get(f"workflows/{written['id']}") == made
    assert world.api.get(f"projects/{world.id}/workflows")["items"] == [made]
    assert world.api.ask("PUT", f"workflows/{written['id']}", made).json == made


def test_a_put_that_changes_nothing_makes_no_version(small_world: World) -> None:
    made = small_world.workflow()
    assert small_world.api.ask("PUT", f"workflows/{made['id']}", made).json["snapshot_id"] == made["snapshot_id"]
    assert len(small_world.api.get(f"workflows/{made['id']}/snapshots")["items"]) == 1


def test_a_patch_merges_and_replaces_lists(small_world: World) -> None:
    made = small_world.workflow()
    changed = small_world.api.ask(
        "PATCH", f"workflows/{made['id']}", {"enabled": False, "positions": {made["jobs"][0]["id"]: {"x": 1, "y": 1}}}
    )
    assert (changed.json["enabled"], changed.json["lock_version"], changed.json["jobs"]) == (False, 2, made["jobs"])
    emptied = small_world.api.ask("PATCH", f"workflows/{made['id']}", {"triggers": [], "edges": []}).json
    assert (emptied["triggers"], emptied["edges"], emptied["enabled"]) == ([], [], False)


def test_two_who_change_the_same_version_do_not_overwrite_each_other(world: World) -> None:
    made = world.workflow()
    path = f"workflows/{made['id']}"
    assert world.api.ask("PUT", path, {**made, "name": "First"}).status == 200
    for method, body, headers in (("PUT", {**made, "name": "Second"}, {}), ("PATCH", {"name": "Second"}, {"If-Match": '"1"'})):
        answer = world.api.ask(method, path, body, headers)
        assert (answer.status, answer.code) == (412, "changed_meanwhile")
        assert (answer.json["current"]["name"], answer.json["current"]["lock_version"]) == ("First", 2)
    assert world.api.ask("DELETE", path, headers={"If-Match": '"1"'}).status == 412


def test_what_is_wrong_is_told_with_its_path(small_world: World) -> None:
    begins = trigger("cron", cron_expression="0 25 * * FRI")
    written = workflow(
        "Wrong", [begins], [job("A"), job("A")], [{"source_trigger_id": begins["id"], "target_job_id": begins["id"]}], colour=1
    )
    answer = small_world.api.ask("POST", f"projects/{small_world.id}/workflows", written)
    assert (answer.status, answer.code) == (422, "validation_failed")
    assert list(answer.json["errors"]) == ["colour"]
    del written["colour"]
    answer = small_world.api.ask("POST", f"projects/{small_world.id}/workflows", written)
    assert {"triggers.0.cron_expression", "jobs.0.name"} < answer.json["errors"].keys()


def test_versions_are_listed_read_and_restored(small_world: World) -> None:
    made = small_world.workflow("Before")
    path = f"workflows/{made['id']}"
    small_world.api.ask("PATCH", path, {"name": "After"})
    newest, oldest = small_world.api.get(f"{path}/snapshots")["items"]
    assert (newest["lock_version"], oldest["lock_version"], oldest["author"]) == (2, 1, "admin@example.org")
    assert small_world.api.get(f"snapshots/{oldest['id']}")["document"]["name"] == "Before"
    restored = small_world.api.post(f"{path}/restore", {"snapshot_id": oldest["id"]})
    assert (restored["name"], restored["lock_version"]) == ("Before", 3)
    assert small_world.api.ask("POST", f"{path}/restore", {"snapshot_id": oldest["id"], "lock_version": 2}).status == 412


def test_a_workflow_that_was_deleted_is_gone_and_its_history_is_not(small_world: World) -> None:
    made = small_world.workflow()
    message = small_world.message({"a": 1})
    assert small_world.api.ask("DELETE", f"workflows/{made['id']}").status == 204
    assert small_world.api.ask("DELETE", f"workflows/{made['id']}").status == 404
    (run,) = small_world.api.get(f"messages/{message['id']}/runs")["items"]
    assert run["job_name"] == "Referral"
    assert small_world.api.ask("POST", f"runs/{run['id']}/rerun", {}).status == 404


def test_schedules_tell_when_they_fire(small_world: World) -> None:
    begins, works = trigger("cron", cron_expression="0 23 * * FRI", timezone="Africa/Freetown"), job("Export")
    made = small_world.api.post(f"projects/{small_world.id}/workflows", workflow("Weekly", [begins], [works], [edge(begins, works)]))
    firings = small_world.api.get(f"triggers/{begins['id']}/next?count=3")["items"]
    assert made["triggers"][0]["next_at"] == firings[0]["at"]
    assert [each["local"][11:] for each in firings] == ["23:00+00:00"] * 3
    assert small_world.api.ask("GET", f"triggers/{begins['id']}/next?count=0").status == 422


def test_a_schedule_is_previewed_before_it_is_saved(small_world: World) -> None:
    given = {"every": "2 weeks", "anchor": "2099-01-02T23:00", "timezone": "Europe/London", "count": 2}
    found = small_world.api.post("schedules/preview", given)["items"]
    assert found == [
        {"at": "2099-01-02T23:00:00.000000Z", "local": "2099-01-02T23:00+00:00"},
        {"at": "2099-01-16T23:00:00.000000Z", "local": "2099-01-16T23:00+00:00"},
    ]
    for wrong, path in (
        ({}, ""), ({"cron_expression": "x"}, "cron_expression"), ({"every": "2 weeks"}, "anchor"),
        ({"cron_expression": "* * * * *", "timezone": "Mars"}, "timezone"), ({"every": "7 smiles", "anchor": "2026-01-01T00:00"}, "every"),
    ):  # fmt: skip
        answer = small_world.api.ask("POST", "schedules/preview", wrong)
        assert (answer.status, list(answer.json["errors"])) == (422, [path])
