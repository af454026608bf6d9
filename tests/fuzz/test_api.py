"""The API under Schemathesis: what the OpenAPI document allows, and what it forbids, is answered as it says, and never by 5xx.

A bounded run is part of the tests; ``KIVUKO_TEST_FUZZ_CASES=200`` makes a long one of it, ``KIVUKO_TEST_FUZZ_SEED`` another one, and
``KIVUKO_TEST_FUZZ_DATABASE=postgresql`` has it on PostgreSQL.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, seed, settings
from schemathesis.checks import CHECKS, load_all_checks

from journeys.own_server import TOKEN, OwnServer, database_url, eventually, job_workflow
from kivuko.platform.api.openapi import document
from records.own_postgresql import own_postgresql
from systems.adaptor_repo import adaptor_repo

load_all_checks()
pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.xdist_group("fuzz")]
CASES = int(os.environ.get("KIVUKO_TEST_FUZZ_CASES", "8"))
SEED = int(os.environ.get("KIVUKO_TEST_FUZZ_SEED", "7"))
HONEST = [
    CHECKS.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    )
]
PATIENCE_S = 20
SCHEMA = schemathesis.openapi.from_dict(dict(document()))
"""The document as it is made here; a test says that the server serves this one."""

KNOWN: dict[str, list[str]] = {}
"""Ids that exist, by the name of the path's parameter."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with ExitStack() as stack:
        where: dict[str, str] = {}
        if os.environ.get("KIVUKO_TEST_FUZZ_DATABASE") == "postgresql":
            where["DATABASE_URL"] = database_url(stack.enter_context(own_postgresql()))
        server = stack.enter_context(OwnServer(tmp_path_factory.mktemp("fuzz"), Path(adaptor_repo("common")), **where))
        KNOWN.update(furnish(server))
        yield server


def furnish(server: OwnServer) -> dict[str, list[str]]:
    """A project with one of everything, so that requests get behind the 404."""
    project, inbox = server.project("fuzzed")
    flow = job_workflow(
        "Referral", "fn(state => { console.log(state.data); return state; });", {"kind": "message", "inbox_id": inbox["id"]}
    )
    workflow = server.post(f"/projects/{project}/workflows", flow)
    message = server.send(inbox["url"], {"form": {"case": "c1"}})["message_id"]
    server.job_states(message)
    run = server.get(f"/messages/{message}/runs")["items"][0]
    manual = server.post(
        "/work_orders", {"workflow_id": workflow["id"], "start": {"job_id": workflow["jobs"][0]["id"]}, "input": {"body": {"n": 1}}}
    )
    second = eventually(lambda: (found := server.get(f"/runs/{manual['run_ids'][0]}"))["state"] == "success" and found, 60)
    credential = server.post(f"/projects/{project}/credentials", {"name": "records", "body": {"password": "s3cret"}})
    method = server.post(f"/projects/{project}/auth_methods", {"name": "partner", "kind": "api_key"})
    operation = server.post(f"/projects/{project}/bulk_reruns", {"filter": {}})
    return {
        "project_id": [project],
        "workflow_id": [workflow["id"]],
        "trigger_id": [workflow["triggers"][0]["id"]],
        "snapshot_id": [workflow["snapshot_id"]],
        "inbox_id": [inbox["id"]],
        "auth_method_id": [method["id"]],
        "credential_id": [credential["id"]],
        "message_id": [message],
        "run_id": [run["id"], second["id"]],
        "attempt_id": [run["attempt_id"], manual["attempt_id"]],
        "work_order_id": [run["work_order_id"], manual["work_order_id"]],
        "dataclip_id": [each["dataclip_id"] for each in (second["input"], second["output"])],
        "operation_id": [operation["id"]],
    }


@SCHEMA.hook
def map_path_parameters(context: schemathesis.HookContext, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Three of four requests name what exists; nothing is deleted that others need."""
    if not path_parameters or context.operation is None or context.operation.method.upper() == "DELETE":
        return path_parameters
    dice = random.Random(repr(sorted(path_parameters.items(), key=str)))
    return {name: dice.choice(KNOWN[name]) if name in KNOWN and dice.random() < 0.75 else value for name, value in path_parameters.items()}


def test_the_server_serves_the_document_that_is_made_of_the_code(server: OwnServer) -> None:
    assert server.ask("GET", "/api/v1/openapi.json").json["paths"].keys() == dict(document())["paths"].keys()


@SCHEMA.parametrize()
@seed(SEED)
@settings(max_examples=CASES, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None)
def test_every_request_is_answered_as_the_document_says(case: schemathesis.Case[Any], server: OwnServer) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = case.call(base_url=server.url, headers=headers, timeout=PATIENCE_S)
    case.validate_response(answer, checks=HONEST)
