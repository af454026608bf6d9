"""The workflow document that the reference shows is one: it is saved as it stands there, and its tables name every key."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kivuko.platform.api.shapes.workflows import EdgeShape, JobShape, Retry, TriggerShape, WorkflowWritten
from kivuko.platform.workflows.document import TRIGGER_FIELDS
from platform_api.world import World

PAGE = (Path(__file__).parents[3] / "docs/reference/rest-api.md").read_text("utf-8")
SECTION = PAGE.partition("## The workflow document")[2].partition("## Routes")[0]


def documented(inbox_id: str) -> dict[str, Any]:
    """The example, for this inbox."""
    (text,) = re.findall(r"```json\n(.*?)```", SECTION, re.DOTALL)
    found: dict[str, Any] = json.loads(text.replace("…", inbox_id))
    return found


def test_the_document_of_the_reference_is_saved_and_starts_with_what_it_says(world: World) -> None:
    made = world.api.post(f"projects/{world.id}/workflows", documented(world.inbox["id"]))
    assert [job["name"] for job in made["jobs"]] == ["Store", "Tell somebody"]
    assert made["jobs"][0]["retry"]["max_backoff_ms"] == 3_600_000
    referral = world.message({"form": {"@name": "Referral", "case": "c1"}})
    for other in ({"form": {"@name": "Referral", "test": True}}, {"form": {"@name": "Payment"}}):
        world.message(other)
    runs = world.api.get(f"projects/{world.id}/runs")["items"]
    assert [(run["job_name"], run["message_id"]) for run in runs] == [("Store", referral["id"])]


def test_what_is_answered_may_be_sent_back(world: World) -> None:
    made = world.api.post(f"projects/{world.id}/workflows", documented(world.inbox["id"]))
    again = world.api.ask("PUT", f"workflows/{made['id']}", made)
    assert (again.status, again.json["snapshot_id"]) == (200, made["snapshot_id"])


@pytest.mark.parametrize("shape", [WorkflowWritten, TriggerShape, JobShape, EdgeShape, Retry], ids=lambda shape: shape.__name__)
def test_every_key_is_named(shape: Any) -> None:
    silent = {"language"}  # there is one
    assert [name for name in shape.model_fields if name not in silent and f"`{name}`" not in SECTION and f'"{name}"' not in SECTION] == []


def test_every_kind_of_trigger_is_named() -> None:
    assert [kind for kind in TRIGGER_FIELDS if f"`{kind}`" not in SECTION] == []
