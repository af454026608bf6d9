"""Bulk reruns as operations."""

from __future__ import annotations

import pytest

from kivuko.platform.operations.models import OperationItems
from kivuko.records import Id
from platform_api.world import World


def stored() -> list[str]:
    """The ids that operations have, in order."""
    listed = b"".join(bytes(items.ids) for items in OperationItems.objects.order_by("number"))
    return [str(Id(listed[at : at + 16])) for at in range(0, len(listed), 16)]


def test_a_bulk_rerun_counts_and_keeps_what_exists_now_in_order(world: World) -> None:
    flow = world.workflow("Good", {"good": True})
    made = [world.message({"n": n, "good": n != 1})["id"] for n in range(4)]
    path = f"projects/{world.id}/bulk_reruns"
    dry = world.api.ask("POST", path, {"filter": {"job_state": "in progress"}, "dry_run": True})
    assert (dry.status, dry.json) == (200, {"count": 3})
    answer = world.api.ask("POST", path, {"filter": {"job_id": flow["jobs"][0]["id"]}, "order": "oldest", "rate_per_s": 5})
    made_operation = answer.json
    assert (answer.status, made_operation["state"], made_operation["total"], made_operation["done"]) == (202, "queued", 3, 0)
    assert answer.headers["Location"] == f"/api/v1/operations/{made_operation['id']}"
    assert stored() == [made[0], made[2], made[3]]
    world.message({"n": 9, "good": True})
    assert world.api.get(f"operations/{made_operation['id']}") == made_operation
    assert world.stranger().ask("GET", f"operations/{made_operation['id']}").status == 404
    cancelled = world.api.ask("POST", f"operations/{made_operation['id']}/cancel")
    assert (cancelled.status, cancelled.json["state"]) == (202, "cancelled")
    assert world.api.ask("POST", f"operations/{made_operation['id']}/cancel").code == "already_finished"


def test_runs_are_run_again_too_newest_first(small_world: World) -> None:
    small_world.workflow()
    runs = [small_world.message({"n": n})["job_states"][0]["run_id"] for n in range(3)]
    small_world.work()
    asked = {"subject": "runs", "filter": {"state": ["success"]}, "order": "newest"}
    assert small_world.api.post(f"projects/{small_world.id}/bulk_reruns", asked)["total"] == 3
    assert stored() == runs[::-1]


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"filter": {"colour": "red"}}, "filter.colour"),
        ({"filter": {"limit": 5}}, "filter.limit"),
        ({"filter": {"job_state": "lost"}}, "filter.job_state.0"),
        ({"filter": {}, "from": "0192f0a1-7c3e-7b42-8d11-3f2a9c4e5b60"}, "from"),
        ({"filter": {}, "rate_per_s": 0}, "rate_per_s"),
        ({"filter": {}, "order": "random"}, "order"),
        ({}, "filter"),
    ],
)
def test_a_bulk_rerun_that_cannot_be_is_refused(small_world: World, asked: dict[str, object], path: str) -> None:
    answer = small_world.api.ask("POST", f"projects/{small_world.id}/bulk_reruns", asked)
    assert (answer.status, list(answer.json["errors"])) == (422, [path])
