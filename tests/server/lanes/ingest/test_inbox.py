"""The answer table of the inbox (R-043), and that what is answered is durable."""

from __future__ import annotations

import asyncio
import gzip
import json
from hashlib import sha256
from pathlib import Path

import pytest

from kivuko.records import Attempt, JobState, Message, Run, WorkOrder, new_id
from kivuko.records.rows import LiveAttempt
from kivuko.server.lanes.ingest import Entrance, IdempotencyRule, Inbox, RateLimit, api_key, basic
from kivuko.server.lanes.ingest.bodies import BodyKind
from server.lanes.ingest.bodies.test_reading import FIXTURES, multipart
from server.lanes.ingest.worlds import JSON, Answer, World


def test_a_message_is_durable_with_all_it_starts_when_it_is_answered(any_world: World) -> None:
    world = any_world
    world.enter_inbox(world.target({"form": "a"}, name="Referral", jobs=2), world.target({"form": "b"}, name="Other"))
    answer = world.post(world.inbox_url, {"form": "a", "n": 1})
    assert answer.status == 202
    assert answer.json["data"] == ["Referral"]
    assert answer.json["errors"] == []
    assert answer.json["meta"]["message"]
    (message,) = world.rows(Message)
    assert answer.json["message_id"] == str(message.id)
    assert world.body_of(answer.json["message_id"]) == {"form": "a", "n": 1}
    assert len(world.rows(WorkOrder)) == len(world.rows(Attempt)) == len(world.rows(LiveAttempt)) == 1
    assert [run.run_number for run in world.rows(Run)] == [1, 2]
    assert len(world.rows(JobState)) == 2


def test_a_message_that_matches_nothing_is_kept(world: World) -> None:
    world.enter_inbox(world.target({"form": "a"}))
    answer = world.post(world.inbox_url, [1])
    assert (answer.status, answer.json["data"]) == (202, [])
    assert (len(world.rows(Message)), world.rows(WorkOrder)) == (1, [])


def test_inclusion_and_exclusion_decide_what_starts(world: World) -> None:
    world.enter_inbox(world.target({"name": "john doe"}, {"allowedToShare": False}, name="share"), world.target(name="every"))
    assert world.post(world.inbox_url, {"name": "john doe"}).json["data"] == ["share", "every"]
    assert world.post(world.inbox_url, {"name": "john doe", "allowedToShare": False}).json["data"] == ["every"]


def test_numbers_are_matched_by_value_however_they_are_written(world: World) -> None:
    world.enter_inbox(world.target({"n": 12345678901234567890123}, name="exact"))
    assert world.post(world.inbox_url, b'{"n":12345678901234567890123}').json["data"] == ["exact"]
    assert world.post(world.inbox_url, b'{"n":12345678901234567890124}').json["data"] == []


def test_a_job_that_two_triggers_start_is_started_once_and_the_sender_hears_of_it(world: World) -> None:
    first = world.target(name="job")
    world.enter_inbox(first, type(first)(new_id(), first.workflow_id, first.snapshot_id, first.jobs, first.job_names))
    answer = world.post(world.inbox_url, {})
    (run,) = world.rows(Run)
    assert answer.json["data"] == ["job"]
    assert answer.json["errors"] == [{"code": "too_soon", "job_id": str(run.job_id), "run_id": str(run.id)}]


def test_the_request_is_kept_without_secrets(world: World) -> None:
    world.enter_inbox(auth_methods=(api_key("forms", "canary-key"), basic("b", "u", "p")))
    headers = {
        "x-api-key": "canary-key",
        "authorization": "Basic canary",
        "cookie": "canary=1",
        "proxy-authorization": "canary",
        "x-form": "7",
    }
    assert world.post(world.inbox_url + "?a=1&a=2&b=%C3%A9", {"x": 1}, headers).status == 202
    (message,) = world.rows(Message)
    request = json.loads(message.request or b"")
    assert request["method"] == "POST"
    assert request["path"] == ["inbox", str(world.inbox.id)]
    assert (request["query"], request["query_params"]) == ("a=1&a=2&b=%C3%A9", {"a": ["1", "2"], "b": "é"})
    assert request["headers"] == {"content-type": "application/json", "x-form": "7"}
    assert b"canary" not in (message.request or b"")
    assert world.secret.encode() not in (message.request or b"")
    assert (message.auth_method, message.source_ip, message.content_type) == ("forms", "192.0.2.7", "application/json")
    assert (message.size_bytes, message.sha256) == (8, sha256(b'{"x": 1}').digest())


@pytest.mark.parametrize(
    ("body", "headers", "stored"),
    [
        (b"a=1&b=2", {"content-type": "application/x-www-form-urlencoded"}, {"a": "1", "b": "2"}),
        (b"<a><b>1</b></a>", {"content-type": "text/xml"}, {"a": {"b": "1"}}),
        (b'{"a":1}', {}, {"a": 1}),
        (gzip.compress(b'{"a":1}', mtime=0), {**JSON, "content-encoding": "gzip"}, {"a": 1}),
        (b'"text"', JSON, "text"),
    ],
)
def test_bodies_come_in_many_forms(world: World, body: bytes, headers: dict[str, str], stored: object) -> None:
    answer = world.ask("POST", world.inbox_url, body, headers=headers)
    assert answer.status == 202
    assert world.body_of(answer.json["message_id"]) == stored


def test_a_request_may_be_its_query_alone(world: World) -> None:
    answer = world.ask("POST", world.inbox_url + "?from=%2B255&text=hi")
    assert world.body_of(answer.json["message_id"]) == {"from": "+255", "text": "hi"}


def test_a_body_may_come_in_pieces(world: World) -> None:
    answer = world.ask("POST", world.inbox_url, b'{"a', b"", b'":', b"1}", headers=JSON)
    assert world.body_of(answer.json["message_id"]) == {"a": 1}


def test_salesforce_gets_its_acknowledgement(world: World) -> None:
    answer = world.ask("POST", world.inbox_url, (FIXTURES / "salesforce.xml").read_bytes(), headers={"content-type": "text/xml"})
    assert (answer.status, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert b"<Ack>true</Ack>" in answer.body
    assert len(world.rows(Message)) == 1


def test_odk_collect_asks_first_and_then_submits(world: World) -> None:
    asked = world.ask("HEAD", world.inbox_url)
    assert (asked.status, asked.headers["x-openrosa-version"], asked.headers["x-openrosa-accept-content-length"]) == (
        204,
        "1.0",
        "10485760",
    )
    form = multipart(('content-disposition: form-data; name="xml_submission_file"; filename="f.xml"', b"<data><a>1</a></data>"))
    answer = world.ask("POST", world.inbox_url, form, headers={"content-type": "multipart/form-data; boundary=xYz"})
    assert (answer.status, answer.headers["x-openrosa-version"]) == (201, "1.0")
    assert world.body_of(str(world.rows(Message)[0].id)) == {"data": {"a": "1"}}


@pytest.mark.parametrize(
    "path", ["/inbox/", "/inbox/x", "/inbox/" + "0" * 36, "/inbox/{secret}/more", "/inbox/{other}", "/inbox/{{{secret}}}"]
)
def test_unknown_addresses_are_not_found(world: World, path: str) -> None:
    answer = world.post(path.format(secret=world.secret, other=new_id()), {})
    assert (answer.status, answer.json["code"]) == (404, "not_found")


@pytest.mark.parametrize("change", [str.upper, lambda path: path + "/"])
def test_the_uuid_may_be_in_upper_case_and_a_slash_may_follow(world: World, change: object) -> None:
    assert world.post("/inbox/" + change(world.secret), {}).status == 202  # type: ignore[operator]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", JSON, 400, "malformed_json"),
        (b"", {"content-encoding": "gzip"}, 202, None),
        (b"x", {"content-encoding": "gzip"}, 400, "malformed_body"),
        (b"<a", {"content-type": "text/xml"}, 400, "malformed_body"),
        (b"a" * 2000, JSON, 413, "too_large"),
        (gzip.compress(b"a" * 2000, mtime=0), {**JSON, "content-encoding": "gzip"}, 413, "too_large"),
        (b"hello", {"content-type": "text/plain"}, 415, "unsupported_media_type"),
        (b"{}", {**JSON, "content-encoding": "br"}, 415, "unsupported_media_type"),
        (b"[" * 600 + b"]" * 600, JSON, 413, "too_large"),
        (b"[" * 501 + b"]" * 501, JSON, 422, "validation_failed"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', {"content-type": "text/xml"}, 422, "validation_failed"),
        (b'{"n":0e99999999999999999999999}', JSON, 400, "malformed_json"),
    ],
)
def test_what_cannot_be_taken_is_refused_and_nothing_of_it_is_kept(
    world: World, body: bytes, headers: dict[str, str], status: int, code: str | None
) -> None:
    world.enter_inbox(world.target({"n": 1}), body_limit_bytes=1100)
    answer = world.ask("POST", world.inbox_url, body, headers=headers)
    assert answer.status == status
    if code:
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.json["code"], answer.json["status"]) == (code, status)
        assert answer.json["detail"]
        assert answer.json["request_id"] == answer.headers["x-request-id"]
        assert world.rows(Message) == []


@pytest.mark.parametrize("where", ["header", "query"])
def test_a_head_that_is_too_large_is_refused(world: World, where: str) -> None:
    long = "x" * 70_000
    answer = world.post(world.inbox_url + ("?a=" + long if where == "query" else ""), {}, {"x-a": long} if where == "header" else {})
    assert (answer.status, answer.json["code"]) == (431, "head_too_large")


def test_a_nul_in_a_header_does_no_harm(any_world: World) -> None:
    world = any_world
    assert (
        world.ask(
            "POST", world.inbox_url + "?a=%00", b'{"a":"\\u0000"}', headers={"content-type": "application/json; x=\0", "x-a": "\0"}
        ).status
        == 202
    )
    assert world.body_of(str(world.rows(Message)[0].id)) == {"a": "\0"}


def test_kinds_of_bodies_may_be_left_out(world: World) -> None:
    world.enter_inbox(kinds=frozenset({BodyKind.JSON}))
    assert world.ask("POST", world.inbox_url, b"<a/>", headers={"content-type": "text/xml"}).status == 415


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_allowed(world: World, method: str) -> None:
    answer = world.ask(method, world.inbox_url)
    assert (answer.status, answer.headers["allow"], answer.json["code"]) == (405, "POST, HEAD, OPTIONS", "method_not_allowed")


def test_options_says_what_there_is(world: World) -> None:
    answer = world.ask("OPTIONS", world.inbox_url)
    assert (answer.status, answer.headers["allow"]) == (204, "POST, HEAD, OPTIONS")


def test_more_requests_than_the_limit_are_told_when_to_come_back(world: World) -> None:
    world.enter_inbox(rate=RateLimit(per_s=0.5, burst=2))
    answers = [world.post(world.inbox_url, {}) for _ in range(3)]
    assert [answer.status for answer in answers] == [202, 202, 429]
    assert (answers[2].headers["retry-after"], answers[2].json["code"]) == ("2", "rate_limited")
    world.clock_s += 2
    assert world.post(world.inbox_url, {}).status == 202


def test_a_repeated_key_starts_nothing_and_names_the_first_message(any_world: World) -> None:
    world = any_world
    world.enter_inbox(world.target(), idempotency=IdempotencyRule(header="Idempotency-Key", path=("meta", "ids", "0"), window_s=60))
    first = world.post(world.inbox_url, {"a": 1}, {"idempotency-key": "k"})
    again = world.post(world.inbox_url, {"a": 2}, {"idempotency-key": "k"})
    assert (first.status, first.json["duplicate"], first.json["data"]) == (202, False, ["job"])
    assert (again.status, again.json["duplicate"], again.json["data"]) == (202, True, [])
    assert again.json["message_id"] == first.json["message_id"]
    by_path = [world.post(world.inbox_url, {"meta": {"ids": [7]}}).json["duplicate"] for _ in range(2)]
    none = [world.post(world.inbox_url, {"meta": {"ids": []}}).json["duplicate"] for _ in range(2)]
    assert (by_path, none) == ([False, True], [False, False])
    assert (len(world.rows(Message)), len(world.rows(WorkOrder))) == (6, 4)


def test_without_a_rule_the_key_means_nothing(world: World) -> None:
    world.enter_inbox(world.target())
    assert [world.post(world.inbox_url, {}, {"idempotency-key": "k"}).json["duplicate"] for _ in range(2)] == [False, False]


def test_the_same_key_at_two_inboxes_is_two_keys(world: World) -> None:
    other = str(new_id())
    rule = IdempotencyRule(header="idempotency-key")
    world.enter_inbox(idempotency=rule)
    world.configure(inbox=Inbox(new_id(), Entrance(world.project_id, idempotency=rule)), address=other)
    answers = [world.post(url, {}, {"idempotency-key": "k"}) for url in (world.inbox_url, f"/inbox/{other}")]
    assert [answer.json["duplicate"] for answer in answers] == [False, False]


def test_a_safe_request_id_is_kept_and_another_is_replaced(world: World) -> None:
    given = "abcdefghij-0123456789"
    assert world.post(world.inbox_url, {}, {"x-request-id": given}).headers["x-request-id"] == given
    assert world.post(world.inbox_url, {}, {"x-request-id": "short"}).headers["x-request-id"] != "short"


def test_a_large_body_goes_through_a_file_and_a_helper_process_into_an_object(any_world: World, tmp_path: Path) -> None:
    world = any_world
    world.enter_inbox(world.target({"form": "large"}))
    body = json.dumps({"form": "large", "rows": [f"{at:x}" * 5 for at in range(150_000)]}).encode()
    answer = world.ask("POST", world.inbox_url, *(body[at : at + 65_536] for at in range(0, len(body), 65_536)), headers=JSON)
    assert (answer.status, answer.json["data"]) == (202, ["job"])
    assert world.body_of(answer.json["message_id"]) == json.loads(body)
    assert world.examiner.helper_runs
    assert len(list((tmp_path / "objects").rglob("*.body"))) == 1


def test_after_closing_senders_are_sent_away_for_a_while(world: World) -> None:
    world.reception.close()
    answer = world.post(world.inbox_url, {})
    assert (answer.status, answer.json["code"], answer.headers["retry-after"]) == (503, "shutting_down", "5")


def test_when_nothing_can_be_written_senders_are_sent_away(world: World) -> None:
    world.records.close()
    answer = world.post(world.inbox_url, {})
    assert (answer.status, answer.json["code"], answer.headers["retry-after"]) == (503, "database_unavailable", "5")


def test_of_many_requests_with_one_key_at_the_same_time_one_starts_something(any_world: World) -> None:
    world = any_world
    world.enter_inbox(world.target(), idempotency=IdempotencyRule(header="idempotency-key"))

    async def together() -> list[Answer]:
        headers = {**JSON, "idempotency-key": "k"}
        return await asyncio.gather(*(world.asking("POST", world.inbox_url, b"{}", headers=headers) for _ in range(20)))

    answers = world.run(together())
    assert {answer.status for answer in answers} == {202}
    assert len({answer.json["message_id"] for answer in answers}) == 1
    assert [answer.json["duplicate"] for answer in answers].count(False) == 1
    assert (len(world.rows(Message)), len(world.rows(Run))) == (20, 1)


def test_many_requests_at_the_same_time_are_all_kept(any_world: World) -> None:
    world = any_world
    world.enter_inbox(world.target({"even": True}, name="even"))

    async def together() -> list[Answer]:
        bodies = [json.dumps({"n": at, "even": at % 2 == 0}).encode() for at in range(40)]
        return await asyncio.gather(*(world.asking("POST", world.inbox_url, body, headers=JSON) for body in bodies))

    answers = world.run(together())
    assert [answer.json["data"] for answer in answers] == [["even"], []] * 20
    assert [world.body_of(answer.json["message_id"])["n"] for answer in answers] == list(range(40))
    assert len(world.rows(Run)) == 20
