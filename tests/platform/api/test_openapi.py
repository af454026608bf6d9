"""The OpenAPI document: complete, sound, true; and the page that shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from kivuko.platform.api.openapi import document, operations
from kivuko.platform.api.urls import api
from platform_api.world import Caller, World

CONTRACT = """
GET /me | GET POST /tokens | DELETE /tokens/{} | GET POST /projects | GET PATCH DELETE /projects/{} | GET /projects/{}/summary
GET POST /projects/{}/workflows | GET PUT PATCH DELETE /workflows/{} | GET /workflows/{}/snapshots | GET /snapshots/{}
POST /workflows/{}/restore | GET /triggers/{}/next | POST /schedules/preview | POST /filters/preview
GET POST /projects/{}/credentials | PATCH DELETE /credentials/{} | GET /notifications | POST /notifications/{}/read
GET POST /projects/{}/inboxes | GET PATCH DELETE /inboxes/{} | POST /inboxes/{}/rotate
GET POST /projects/{}/auth_methods | DELETE /auth_methods/{} | GET POST /projects/{}/messages | GET /messages/{} | GET /messages/{}/body
POST /messages/{}/versions | GET POST /messages/{}/runs | POST /work_orders | GET /projects/{}/work_orders | GET /work_orders/{}
GET /attempts/{} | POST /attempts/{}/cancel | POST /attempts/{}/retry | GET /projects/{}/runs | GET /runs/{} | POST /runs/{}/rerun
GET /runs/{}/input | GET /runs/{}/output | GET PATCH /dataclips/{} | GET /dataclips/{}/body | GET /attempts/{}/log | GET /runs/{}/log
GET /workers | POST /stream_tickets | POST /projects/{}/bulk_reruns | GET /operations/{} | POST /operations/{}/cancel
"""


def test_the_document_has_exactly_the_routes_of_the_contract() -> None:
    wanted = set()
    for entry in re.split(r"[|\n]", CONTRACT.strip()):
        *methods, path = entry.split()
        wanted.update((method.lower(), f"/api/v1{path}") for method in methods)
    offered = {(method, re.sub(r"\{\w+\}", "{}", path)) for path, method, _ in operations(document())}
    assert offered == wanted


def test_the_document_is_openapi_3_1_and_its_references_lead_somewhere() -> None:
    found = document()
    assert found["openapi"] == "3.1.0"
    schemas = found["components"]["schemas"]
    references = {value for key, value in _pairs(found) if key == "$ref"}
    assert {reference.removeprefix("#/components/schemas/") for reference in references} <= schemas.keys()


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from _pairs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _pairs(inner)


def test_every_operation_is_described_named_once_and_tells_its_problems() -> None:
    names = [operation["operationId"] for _, _, operation in operations(document())]
    assert len(set(names)) == len(names)
    for path, method, operation in operations(document()):
        assert operation["summary"], path
        assert operation["description"], (method, path)
        assert operation["responses"]["default"]["content"].keys() == {"application/problem+json"}
        assert operation["security"] == [{"Token": []}, {"Session": []}]


def test_every_body_that_is_written_has_examples_and_they_are_valid() -> None:
    components = document()["components"]
    for path, method, operation in operations(document()):
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            whole = components["schemas"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
            assert whole.get("examples"), (method, path)
            for example in whole["examples"]:
                jsonschema_rs.Draft202012Validator({**whole, "components": components}).validate(example)


def test_the_routes_that_are_served_are_those_of_the_document() -> None:
    served = {f"/api/v1/{pattern.pattern}" for pattern in api.urls[0]} - {"/api/v1/", "/api/v1/openapi.json", "/api/v1/docs"}
    assert {re.sub(r"<(\w+)>", r"{\1}", each) for each in served} == set(document()["paths"])


def test_the_document_and_its_page_are_for_everybody_and_need_nobody_else(small_world: World) -> None:
    anybody = Caller(None)
    served = anybody.ask("GET", "openapi.json")
    assert (served.status, served.json["info"]["title"]) == (200, "Kivuko")
    page = anybody.ask("GET", "docs")
    text = page.body.decode()
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert not re.search(r"""(src|href)=["']?(https?:)?//|url\(|<script""", text)
    assert all(path in text for path in document()["paths"])
    # Whoever reads the page has nowhere to look a reference up.
    assert "$ref" not in text
    assert "cron_expression" in text
    assert anybody.ask("GET", "openapi.json?x=1").status == 422


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("me", "Me"),
        ("projects/{project}", "ProjectShape"),
        ("workflows/{workflow}", "WorkflowShape"),
        ("messages/{message}", "MessageWhole"),
        ("runs/{run}", "RunWhole"),
        ("attempts/{attempt}", "AttemptWhole"),
        ("work_orders/{order}", "OrderWhole"),
        ("inboxes/{inbox}", "InboxShape"),
    ],
)
def test_answers_have_the_keys_that_the_document_says(small_world: World, path: str, schema: str) -> None:
    flow = small_world.workflow()
    message = small_world.message({"a": 1})
    small_world.work()
    (run,) = small_world.api.get(f"messages/{message['id']}/runs")["items"]
    ids = {
        "project": small_world.id, "workflow": flow["id"], "message": message["id"], "run": run["id"], "attempt": run["attempt_id"],
        "order": run["work_order_id"], "inbox": small_world.inbox["id"],
    }  # fmt: skip
    assert small_world.api.get(path.format(**ids)).keys() == document()["components"]["schemas"][schema]["properties"].keys()
