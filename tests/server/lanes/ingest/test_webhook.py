"""The answer table of webhook triggers, in OpenFn's words (platform §2.1)."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import pytest

from kivuko.records import Attempt, Cause, Message, WorkOrder, new_id
from kivuko.records.rows import LiveAttempt
from kivuko.server.lanes.ingest import IdempotencyRule, RateLimit, api_key, basic
from kivuko.server.lanes.ingest.bodies import BodyKind
from server.lanes.ingest.worlds import JSON, World


def test_the_answer_names_the_work_order_and_the_run_in_body_and_headers(any_world: World) -> None:
    world = any_world
    answer = world.post(world.hook_url, {"a": 1})
    (attempt,) = world.rows(Attempt)
    (order,) = world.rows(WorkOrder)
    assert answer.status == 200
    assert answer.json == {"work_order_id": str(order.id), "run_id": str(attempt.id)}
    assert answer.headers["x-meta-work-order-id"] == str(order.id)
    assert answer.headers["x-meta-run-id"] == str(attempt.id)
    assert (order.cause, order.trigger_id, attempt.start_node) == (Cause.MESSAGE, world.trigger_id, world.trigger_id)
    (message,) = world.rows(Message)
    assert (message.trigger_id, message.inbox_id) == (world.trigger_id, None)
    assert world.body_of(str(message.id)) == {"a": 1}


def test_the_path_is_kept_as_it_was(world: World) -> None:
    assert world.post(world.hook_url + "/any/thing?x=1", {}).status == 200
    request = json.loads(world.rows(Message)[0].request or b"")
    assert request["path"] == ["i", str(world.trigger_id), "any", "thing"]
    assert request["query_params"] == {"x": "1"}


def test_a_custom_path_belongs_to_its_project(world: World) -> None:
    address = f"{world.project_id}/patients_v2"
    world.configure(webhook=world.webhook, address=address)
    assert world.post(f"/i/{address}", {}).status == 200
    assert world.post(f"/i/{address}/more/path", {}).status == 200
    assert world.post(f"/i/{new_id()}/patients_v2", {}).status == 404
    assert world.post(f"/i/{world.project_id}", {}).status == 404


@pytest.mark.parametrize("path", ["/i/", "/i/x", "/i/ü", "/i//", "/i/" + "x" * 300, "/i/0192-/../x"])
def test_unknown_addresses_are_not_found(world: World, path: str) -> None:
    answer = world.post(path, {})
    assert (answer.status, answer.json) == (404, {"error": "Webhook not found"})


def test_without_credentials_401_and_with_wrong_ones_as_if_there_were_nothing(world: World) -> None:
    world.enter_hook({"auth_methods": (api_key("key", "right"), basic("b", "amina", "pass:word"))})
    assert world.post(world.hook_url, {}).json == {"error": "Unauthorized"}
    assert world.post(world.hook_url, {}).status == 401
    wrong = world.post(world.hook_url, {}, {"x-api-key": "wrong"})
    assert (wrong.status, wrong.json) == (404, {"error": "Webhook not found"})
    assert "www-authenticate" not in wrong.headers
    assert world.ask("GET", world.hook_url).status == 401
    assert world.rows(Message) == []
    assert world.post(world.hook_url, {}, {"x-api-key": "right"}).status == 200
    assert world.post(world.hook_url, {}, {"authorization": "Basic YW1pbmE6cGFzczp3b3Jk"}).status == 200


def test_a_trigger_that_is_off_says_so(world: World) -> None:
    world.enter_hook(enabled=False)
    answer = world.post(world.hook_url, {})
    assert (answer.status, answer.json["error"]) == (403, "trigger_disabled")
    assert answer.json["message"]


def test_get_says_that_there_is_a_trigger(world: World) -> None:
    answer = world.ask("GET", world.hook_url)
    assert answer.status == 200
    assert answer.json == {"message": "OpenFn webhook trigger found. Make a POST request to execute this workflow."}
    assert world.ask("DELETE", world.hook_url).status == 405
    assert world.rows(Message) == []


def test_options_needs_no_credentials_and_tells_nothing(world: World) -> None:
    world.enter_hook({"auth_methods": (api_key("key", "right"),)})
    answers = [world.ask("OPTIONS", url) for url in (world.hook_url, f"/i/{new_id()}")]
    assert [(answer.status, answer.headers["allow"]) for answer in answers] == [(204, "GET, OPTIONS, POST")] * 2


def test_get_and_put_may_start_it_where_the_trigger_says_so(world: World) -> None:
    world.enter_hook(methods=frozenset({"POST", "GET", "PUT"}))
    assert world.ask("GET", world.hook_url + "?a=1").status == 200
    assert world.ask("PUT", world.hook_url, b'{"b":2}', headers=JSON).status == 200
    assert [world.body_of(str(message.id)) for message in world.rows(Message)] == [{"a": "1"}, {"b": 2}]


@pytest.mark.parametrize(
    ("body", "headers", "status", "error"),
    [
        (b"{", JSON, 400, "malformed_json"),
        (b"a" * 2000, JSON, 413, "request_entity_too_large"),
        (b"<a/>", {"content-type": "text/xml"}, 415, "unsupported_media_type"),
        (b"x", {"content-type": "text/plain"}, 415, "unsupported_media_type"),
        (b"[" * 501 + b"]" * 501, JSON, 422, "validation_failed"),
    ],
)
def test_what_cannot_be_taken_is_refused(world: World, body: bytes, headers: dict[str, str], status: int, error: str) -> None:
    world.enter_hook({"body_limit_bytes": 1100})
    answer = world.ask("POST", world.hook_url, body, headers=headers)
    assert (answer.status, answer.json["error"]) == (status, error)
    assert answer.json["message"]
    assert world.rows(Message) == []


@pytest.mark.parametrize(
    ("body", "headers", "stored"),
    [
        (b"[1,2]", JSON, {"_json": [1, 2]}),
        (b' "x"', JSON, {"_json": "x"}),
        (b' {"a":1}', JSON, {"a": 1}),
        (b"a=1", {"content-type": "application/x-www-form-urlencoded"}, {"a": "1"}),
        (gzip.compress(b'{"a":1}', mtime=0), {**JSON, "content-encoding": "gzip"}, {"a": 1}),
        (b"", JSON, {}),
    ],
)
def test_jobs_always_see_an_object(world: World, body: bytes, headers: dict[str, str], stored: object) -> None:
    assert world.ask("POST", world.hook_url + "?q=1", body, headers=headers).status == 200
    assert world.body_of(str(world.rows(Message)[0].id)) == stored


def test_xml_is_an_option(world: World) -> None:
    world.enter_hook({"kinds": frozenset(BodyKind)})
    assert world.ask("POST", world.hook_url, b"<a>1</a>", headers={"content-type": "text/xml"}).status == 200
    assert world.body_of(str(world.rows(Message)[0].id)) == {"a": "1"}


def test_a_limit_of_requests(world: World) -> None:
    world.enter_hook({"rate": RateLimit(per_s=1, burst=1)})
    answers = [world.post(world.hook_url, {}) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 429]
    assert (answers[1].json["error"], answers[1].headers["retry-after"]) == ("rate_limited", "1")


def test_a_repeated_key_starts_nothing(world: World) -> None:
    world.enter_hook({"idempotency": IdempotencyRule(header="Idempotency-Key")})
    world.post(world.hook_url, {}, {"idempotency-key": "k"})
    again = world.post(world.hook_url, {}, {"idempotency-key": "k"})
    first = world.rows(Message)[0]
    assert (again.status, again.json) == (200, {"work_order_id": None, "run_id": None, "message_id": str(first.id), "duplicate": True})
    assert len(world.rows(WorkOrder)) == 1


def test_a_database_that_is_away_sends_the_sender_away(world: World) -> None:
    world.records.close()
    answer = world.post(world.hook_url, {})
    assert (answer.status, answer.json["error"], answer.headers["retry-after"]) == (503, "database_unavailable", "5")


def test_the_queue_and_needs_of_the_trigger_are_those_of_the_attempt(world: World) -> None:
    world.enter_hook(target=replace(world.webhook.target, queue="fast_lane", cause=Cause.WEBHOOK))
    world.post(world.hook_url, {})
    assert world.rows(LiveAttempt)[0].queue == "fast_lane"
    assert world.rows(WorkOrder)[0].cause is Cause.WEBHOOK
