"""Another project's object answers like one that does not exist; a role that is too low is told so."""

from __future__ import annotations

from typing import Any

import pytest

from platform_api.world import World

UNKNOWN = "0192f0a1-7c3e-7b42-8d11-3f2a9c4e5b60"


@pytest.fixture
def things(small_world: World) -> dict[str, Any]:
    """One of everything."""
    flow = small_world.workflow()
    message = small_world.message({"a": 1})
    small_world.work()
    (run,) = small_world.api.get(f"messages/{message['id']}/runs")["items"]
    credential = small_world.api.post(f"projects/{small_world.id}/credentials", {"name": "c", "body": {}})
    method = small_world.api.post(f"projects/{small_world.id}/auth_methods", {"name": "m"})
    with small_world.records.reading() as connection:
        ((clip,),) = connection.query("SELECT id FROM dataclip")
    return {
        "project": small_world.id, "inbox": small_world.inbox["id"], "workflow": flow["id"], "snapshot": flow["snapshot_id"],
        "trigger": flow["triggers"][0]["id"], "job": flow["jobs"][0]["id"], "message": message["id"], "run": run["id"],
        "attempt": run["attempt_id"], "order": run["work_order_id"], "credential": credential["id"], "method": method["id"],
        "clip": str(small_world.project.id.__class__(clip)),
    }  # fmt: skip


READS = (
    "projects/{project}", "projects/{project}/summary", "projects/{project}/workflows", "projects/{project}/credentials",
    "projects/{project}/inboxes", "projects/{project}/auth_methods", "projects/{project}/messages", "projects/{project}/work_orders",
    "projects/{project}/runs", "workflows/{workflow}", "workflows/{workflow}/snapshots", "snapshots/{snapshot}", "triggers/{trigger}/next",
    "inboxes/{inbox}", "messages/{message}", "messages/{message}/body", "messages/{message}/runs", "work_orders/{order}",
    "attempts/{attempt}", "attempts/{attempt}/log", "runs/{run}", "runs/{run}/input", "runs/{run}/output", "runs/{run}/log",
    "dataclips/{clip}", "dataclips/{clip}/body",
)  # fmt: skip

WRITES: tuple[tuple[str, str, Any], ...] = (
    ("PATCH", "projects/{project}", {"description": "x"}),
    ("DELETE", "projects/{project}", None),
    ("POST", "projects/{project}/workflows", {"name": "w"}),
    ("PUT", "workflows/{workflow}", {"name": "w"}),
    ("PATCH", "workflows/{workflow}", {"name": "w"}),
    ("DELETE", "workflows/{workflow}", None),
    ("POST", "workflows/{workflow}/restore", {"snapshot_id": UNKNOWN}),
    ("POST", "projects/{project}/credentials", {"name": "d", "body": {}}),
    ("PATCH", "credentials/{credential}", {"name": "d"}),
    ("DELETE", "credentials/{credential}", None),
    ("POST", "projects/{project}/inboxes", {"name": "d"}),
    ("PATCH", "inboxes/{inbox}", {"name": "d"}),
    ("DELETE", "inboxes/{inbox}", None),
    ("POST", "inboxes/{inbox}/rotate", {}),
    ("POST", "projects/{project}/auth_methods", {"name": "n"}),
    ("DELETE", "auth_methods/{method}", None),
    ("POST", "projects/{project}/messages", {"inbox_id": UNKNOWN, "body": 1}),
    ("POST", "messages/{message}/versions", {"body": 1}),
    ("POST", "messages/{message}/runs", {"job_id": UNKNOWN}),
    ("POST", "work_orders", {"workflow_id": "{workflow}", "start": {}}),
    ("POST", "attempts/{attempt}/cancel", None),
    ("POST", "attempts/{attempt}/retry", {}),
    ("POST", "runs/{run}/rerun", {}),
    ("PATCH", "dataclips/{clip}", {"name": "n"}),
)


def _write(caller: Any, write: tuple[str, str, Any], things: dict[str, Any]) -> Any:
    method, path, body = write
    if isinstance(body, dict):
        body = {key: value.format(**things) if isinstance(value, str) else value for key, value in body.items()}
    return caller.ask(method, path.format(**things), *([] if body is None else [body]))


def test_what_another_project_has_is_not_there(small_world: World, things: dict[str, Any]) -> None:
    stranger, nowhere = small_world.stranger(), dict.fromkeys(things, UNKNOWN)
    for path in READS:
        assert small_world.api.ask("GET", path.format(**things)).status == 200, path
        for_stranger, missing = (stranger.ask("GET", path.format(**ids)) for ids in (things, nowhere))
        assert (for_stranger.status, for_stranger.code) == (404, "not_found"), path
        assert {**for_stranger.json, "request_id": 0} == {**missing.json, "request_id": 0}, path


def test_nor_can_it_be_changed(small_world: World, things: dict[str, Any]) -> None:
    stranger, nowhere = small_world.stranger(), dict.fromkeys(things, UNKNOWN)
    for write in WRITES:
        for_stranger, missing = (_write(stranger, write, ids) for ids in (things, nowhere))
        assert (for_stranger.status, for_stranger.code) == (404, "not_found"), write
        assert {**for_stranger.json, "request_id": 0} == {**missing.json, "request_id": 0}, write


def test_who_may_only_look_changes_nothing(small_world: World, things: dict[str, Any]) -> None:
    viewer = small_world.member("viewer", "viewer@example.org")
    for path in READS:
        assert viewer.ask("GET", path.format(**things)).status == 200, path
    for write in WRITES:
        answer = _write(viewer, write, things)
        assert (answer.status, answer.code) == (403, "forbidden"), write


def test_an_editor_designs_and_runs_but_does_not_administer(small_world: World, things: dict[str, Any]) -> None:
    editor = small_world.member("editor", "editor@example.org")
    refused = [write for write in WRITES if _write(editor, write, things).status == 403]
    assert [path for _, path, _ in refused] == [
        "projects/{project}", "projects/{project}", "projects/{project}/inboxes", "inboxes/{inbox}", "inboxes/{inbox}",
        "inboxes/{inbox}/rotate", "projects/{project}/auth_methods", "auth_methods/{method}",
    ]  # fmt: skip


def test_the_address_of_an_inbox_is_for_editors_and_above(small_world: World, things: dict[str, Any]) -> None:
    editor, viewer = (small_world.member(role, f"{role}@example.org") for role in ("editor", "viewer"))
    path = f"inboxes/{things['inbox']}"
    assert editor.get(path)["url"] == small_world.api.get(path)["url"] != None  # noqa: E711
    assert viewer.get(path)["url"] is None
    assert viewer.get(f"projects/{small_world.id}/inboxes")["items"][0]["url"] is None
