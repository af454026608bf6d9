"""Message filters end to end (requirements §3.1): the 24-row table and the docs' examples, from a POST to the jobs that are started."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from filter_table import TABLE
from journeys.own_server import COMMON, OwnServer, Problem

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.xdist_group("journeys")]

PHOTO = '{"formId":"Robot_Photo_21.04.2015","secret_number":8}'
EXAMPLES: tuple[tuple[str, str | None, str | None, bool], ...] = (
    ('{"formID":"patient_registration_v7"}', '{"formID":"patient_registration_v7"}', None, True),
    ('{"formID":"patient_registration_v8"}', '{"formID":"patient_registration_v7"}', "", False),
    ('{"name":"john doe"}', '{"name":"john doe"}', '{"allowedToShare":false}', True),
    ('{"name":"john doe","allowedToShare":false}', '{"name":"john doe"}', '{"allowedToShare":false}', False),
    (PHOTO, '{"formId":"Robot_Photo_21.04.2015"}', '{"safeToProcess":false}', True),
    ('{"formId":"Robot_Photo_21.04.2015"}', PHOTO, None, False),
    (
        '{"data":[{"outlet_call":"TRUE"},{"new_existing":"Existing"}]}',
        '{"data":[{"outlet_call":"TRUE","new_existing":"Existing"}]}',
        None,
        False,
    ),
    ('{"anything":1}', None, None, True),
    ('{"anything":1}', "", "", True),
)


def rows() -> list[tuple[str, str | None, str | None, bool]]:
    """Both tables: body, inclusion, exclusion, whether it matches."""
    return [(body, pattern, None, matches) for body, pattern, matches in TABLE] + list(EXAMPLES)


def workflow(inbox: str) -> dict[str, Any]:
    """One workflow: a trigger and a job for each row, the job named after it."""
    triggers, jobs, edges = [], [], []
    for at, (_, inclusion, exclusion, _) in enumerate(rows()):
        trigger, job = str(uuid.uuid4()), str(uuid.uuid4())
        triggers.append(
            {"id": trigger, "kind": "message", "inbox_id": inbox, "enabled": True, "inclusion": inclusion, "exclusion": exclusion}
        )
        jobs.append({"id": job, "name": f"row {at}", "adaptor": COMMON, "expression": "fn(s => s);"})
        edges.append({"source_trigger_id": trigger, "target_job_id": job, "condition_type": "always"})
    return {"name": "Rows", "enabled": True, "triggers": triggers, "jobs": jobs, "edges": edges}


def test_every_row_of_the_table_starts_what_it_should(place: OwnServer) -> None:
    project, inbox = place.project(f"rows-{uuid.uuid4().hex[:8]}")
    # The answers are what is looked at; nothing has to run.
    place.patch(f"/projects/{project}", {"concurrency": 1})
    place.post(f"/projects/{project}/workflows", workflow(inbox["id"]))
    found: dict[str, dict[str, Any]] = {}
    for body in dict.fromkeys(body for body, _, _, _ in rows()):
        found[body] = place.ask("POST", inbox["url"], body.encode(), {"content-type": "application/json"}).json
    wrong = [(at, row) for at, row in enumerate(rows()) if (f"row {at}" in found[row[0]]["data"]) is not row[3]]
    assert wrong == []
    # The message page says the same: all jobs whose filters match now.
    for body in ("[1,2]", '{"a":1}'):
        matches = place.get(f"/messages/{found[body]['message_id']}")["matches"]
        assert sorted(match["job_name"] for match in matches) == sorted(found[body]["data"])


def test_the_preview_shows_the_messages_that_would_match(place: OwnServer) -> None:
    """R-033."""
    _, inbox = place.project(f"preview-{uuid.uuid4().hex[:8]}")
    sent = {text: place.send(inbox["url"], json.loads(text))["message_id"] for text in ('{"a":1,"b":2}', '{"a":2}', '{"a":1}')}
    asked = {"inbox_id": inbox["id"], "inclusion": {"a": 1}, "exclusion": '{"b":2}', "limit": 5}
    shown = place.post("/filters/preview", asked)
    assert [each["id"] for each in shown["items"]] == [sent['{"a":1}']]


@pytest.mark.parametrize("side", ["inclusion", "exclusion"])
def test_a_filter_that_is_no_json_is_refused_when_it_is_saved(place: OwnServer, side: str) -> None:
    project, inbox = place.project(f"broken-{uuid.uuid4().hex[:8]}")
    broken = workflow(inbox["id"])
    broken["triggers"][3][side] = '{"a": '
    with pytest.raises(Problem) as refused:
        place.post(f"/projects/{project}/workflows", broken)
    assert refused.value.status == 422
    assert list(refused.value.document["errors"]) == [f"triggers.3.{side}"]
