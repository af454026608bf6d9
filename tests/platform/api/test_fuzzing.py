"""Whatever is sent, the API answers: never with a fault of its own, and as its document says."""

from __future__ import annotations

import logging
import os
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import response_schema_conformance

from kivuko.platform.accounts.tokens import new_token
from platform_api.world import World

EXAMPLES = int(os.environ.get("KIVUKO_FUZZ_EXAMPLES", "2"))
SETTINGS = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None, phases=[Phase.generate], derandomize=True
)


@pytest.fixture
def ids(small_world: World) -> dict[str, str]:
    """Of everything one that is there."""
    flow = small_world.workflow()
    message = small_world.message({"a": 1})
    small_world.work(lines=["hello"])
    (run,) = small_world.api.get(f"messages/{message['id']}/runs")["items"]
    operation = small_world.api.post(f"projects/{small_world.id}/bulk_reruns", {"filter": {}})
    return {
        "project_id": small_world.id,
        "workflow_id": flow["id"],
        "snapshot_id": flow["snapshot_id"],
        "trigger_id": flow["triggers"][0]["id"],
        "inbox_id": small_world.inbox["id"],
        "message_id": message["id"],
        "run_id": run["id"],
        "attempt_id": run["attempt_id"],
        "work_order_id": run["work_order_id"],
        "operation_id": operation["id"],
    }


@pytest.mark.slow
def test_no_request_meets_a_fault_of_the_server(small_world: World, ids: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    admin = small_world.place.admin
    assert admin.user_id is not None
    headers = {"Authorization": f"Bearer {new_token(admin.user_id, 'fuzz', actor=admin).text}", "Host": "localhost"}
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", WSGIHandler(), headers={"Host": "localhost"})
    # What deletes goes last, else everything after it would be asked of nothing.
    found = sorted((result.ok() for result in schema.get_all_operations()), key=lambda each: each.method == "delete")
    for operation in found:
        _fuzz(operation, ids, headers)


def _fuzz(operation: Any, ids: dict[str, str], headers: dict[str, str]) -> None:
    @SETTINGS
    @given(operation.as_strategy())
    def ask(case: Any) -> None:
        case.path_parameters = {name: ids.get(name, value) for name, value in (case.path_parameters or {}).items()}
        answer = case.call(headers=headers)
        assert answer.status_code < 500, case.as_curl_command()
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == ["application/problem+json"], answer.text
        case.validate_response(answer, checks=[response_schema_conformance])

    ask()
