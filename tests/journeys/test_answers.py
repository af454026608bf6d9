"""What senders are answered, on both databases: the table of the inbox (R-043, §3.5) and that of webhooks (platform §2.1)."""

from __future__ import annotations

import base64
import gzip
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pysqlite3
import pytest

from journeys.own_server import Answer, OwnServer, job_workflow

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.xdist_group("journeys")]
KEEP = "fn(state => state);"
JSON = {"content-type": "application/json"}
ENVELOPE = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    '<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>00D</OrganizationId>'
    "<Notification><Id>04l</Id><sObject><SMS__Phone_Number__c>1</SMS__Phone_Number__c></sObject></Notification>"
    "</notifications></soapenv:Body></soapenv:Envelope>"
)
OPENROSA = (
    '--b\r\ncontent-disposition: form-data; name="xml_submission_file"; filename="f.xml"\r\ncontent-type: text/xml\r\n\r\n'
    '<data id="visit"><name>Ama</name></data>\r\n'
    '--b\r\ncontent-disposition: form-data; name="p.jpg"; filename="p.jpg"\r\ncontent-type: image/jpeg\r\n\r\nJPEG\r\n--b--\r\n'
)


@dataclass(frozen=True)
class Door:
    """An inbox and a webhook of a project, and keys for both."""

    project: str
    inbox: Mapping[str, Any]
    hook: Mapping[str, Any]
    workflow: Mapping[str, Any]
    key: str
    password: str


def guarded(place: OwnServer, **hook: object) -> Door:
    """A project whose entrances ask for a key or a password."""
    project, inbox = place.project(f"doors-{uuid.uuid4().hex[:8]}")
    key = place.post(f"/projects/{project}/auth_methods", {"name": "key", "kind": "api_key"})
    basic = place.post(f"/projects/{project}/auth_methods", {"name": "basic", "kind": "basic", "username": "odk"})
    ids = [key["id"], basic["id"]]
    inbox = {**place.patch(f"/inboxes/{inbox['id']}", {"auth_method_ids": ids, "body_limit_bytes": 10_000}), "url": inbox["url"]}
    workflow = place.post(f"/projects/{project}/workflows", job_workflow("Hook", KEEP, {"kind": "webhook", "auth_method_ids": ids, **hook}))
    return Door(project, inbox, workflow["triggers"][0], workflow, key["secret"], basic["secret"])


@pytest.fixture(scope="module")
def door(place: OwnServer) -> Door:
    return guarded(place)


@pytest.fixture(scope="module")
def project(place: OwnServer) -> tuple[str, Mapping[str, Any]]:
    """A project whose inbox needs no key."""
    return place.project(f"open-{uuid.uuid4().hex[:8]}")


def basic(user: str, password: str) -> dict[str, str]:
    """The header of Basic authentication."""
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


class TestInbox:
    """``POST /inbox/<uuid>``."""

    def test_accepted(self, place: OwnServer, door: Door) -> None:
        for proof in ({"x-api-key": door.key}, basic("odk", door.password)):
            answer = place.ask("POST", door.inbox["url"], b'{"a": 1}', {**JSON, **proof})
            assert answer.status == 202
            assert answer.json["meta"] == {"message": "Data accepted and processing has begun."}
            assert (answer.json["data"], answer.json["errors"]) == ([], [])
            kept = place.get(f"/messages/{answer.json['message_id']}")
            assert kept["request"]["auth_method"] in ("key", "basic")
            assert not {"authorization", "x-api-key"} & set(kept["request"]["headers"])
            assert place.get(f"/messages/{answer.json['message_id']}/body") == {"a": 1}

    @pytest.mark.parametrize(
        ("proof", "body", "kind", "status", "code"),
        [
            ("none", b"{}", "application/json", 401, "unauthenticated"),
            ("wrong", b"{}", "application/json", 401, "unauthenticated"),
            ("key", b"{", "application/json", 400, "malformed_json"),
            ("key", b"<a><b></a>", "text/xml", 400, "malformed_body"),
            ("key", b'{"a": "' + b"x" * 10_000 + b'"}', "application/json", 413, "too_large"),
            ("key", b"\x89PNG", "image/png", 415, "unsupported_media_type"),
            ("key", b"[" * 600 + b"]" * 600, "application/json", 422, "validation_failed"),
        ],
        ids=["no key", "a wrong key", "bad JSON", "bad XML", "too large", "a type that is not taken", "too deep"],
    )
    def test_refused(self, place: OwnServer, door: Door, proof: str, body: bytes, kind: str, status: int, code: str) -> None:
        shown = {"none": {}, "wrong": {"x-api-key": "wrong-" + door.key}, "key": {"x-api-key": door.key}}[proof]
        answer = place.ask("POST", door.inbox["url"], body, {"content-type": kind, **shown})
        assert (answer.status, answer.json["code"], answer.headers["content-type"]) == (status, code, "application/problem+json")
        assert ("www-authenticate" in answer.headers) is (status == 401)

    def test_unknown(self, place: OwnServer) -> None:
        for address in (f"/inbox/{uuid.uuid4()}", "/inbox/x", "/inbox/"):
            assert place.ask("POST", address, b"{}", JSON).status == 404

    def test_other_methods(self, place: OwnServer, project: tuple[str, Mapping[str, Any]]) -> None:
        assert place.ask("GET", project[1]["url"]).status == 405
        head = place.ask("HEAD", project[1]["url"])
        assert (head.status, head.headers["x-openrosa-version"]) == (204, "1.0")

    def test_the_forms_of_bodies(self, place: OwnServer, project: tuple[str, Mapping[str, Any]]) -> None:
        url = project[1]["url"]

        def body_of(answer: Answer) -> Any:
            return place.get(f"/messages/{answer.json['message_id']}/body")

        form = place.ask("POST", url, b"name=Ama&tag=a&tag=b", {"content-type": "application/x-www-form-urlencoded"})
        assert (form.status, body_of(form)) == (202, {"name": "Ama", "tag": ["a", "b"]})
        query = place.ask("POST", url + "?name=Ama", b"", {})
        assert (query.status, body_of(query)) == (202, {"name": "Ama"})
        packed = place.ask("POST", url, gzip.compress(b"[1]"), {**JSON, "content-encoding": "gzip"})
        assert (packed.status, body_of(packed)) == (202, [1])
        xml = place.ask("POST", url, b'<a:form xmlns:a="x" id="7"><b>1</b><b>2</b><c>t</c></a:form>', {"content-type": "text/xml"})
        assert body_of(xml)["form"]["b"] == ["1", "2"]
        assert (body_of(xml)["form"]["@id"], body_of(xml)["form"]["c"]) == ("7", "t")

    def test_salesforce_is_acknowledged_in_soap(self, place: OwnServer, project: tuple[str, Mapping[str, Any]]) -> None:
        answer = place.ask("POST", project[1]["url"], ENVELOPE.encode(), {"content-type": "text/xml"})
        assert (answer.status, b"<Ack>true</Ack>" in answer.body) == (200, True)
        newest = place.get(f"/projects/{project[0]}/messages")["items"][0]["id"]
        body = place.get(f"/messages/{newest}/body")
        assert body["Envelope"]["Body"]["notifications"]["Notification"]["sObject"]["SMS__Phone_Number__c"] == "1"

    def test_odk_is_answered_in_openrosa(self, place: OwnServer, project: tuple[str, Mapping[str, Any]]) -> None:
        answer = place.ask("POST", project[1]["url"], OPENROSA.encode(), {"content-type": "multipart/form-data; boundary=b"})
        assert (answer.status, answer.headers["x-openrosa-version"]) == (201, "1.0")
        newest = place.get(f"/projects/{project[0]}/messages")["items"][0]["id"]
        body = place.get(f"/messages/{newest}/body")
        assert (body["data"]["name"], body["@attachments"][0]["size_bytes"]) == ("Ama", 4)

    def test_the_old_address_works_for_the_overlap_only(self, place: OwnServer) -> None:
        _, inbox = place.project(f"rotated-{uuid.uuid4().hex[:8]}")
        new = place.post(f"/inboxes/{inbox['id']}/rotate", {"overlap_s": 3600})["url"]
        assert [place.ask("POST", url, b"{}", JSON).status for url in (inbox["url"], new)] == [202, 202]
        newest = place.post(f"/inboxes/{inbox['id']}/rotate", {"overlap_s": 0})["url"]
        assert [place.ask("POST", url, b"{}", JSON).status for url in (new, newest)] == [404, 202]

    def test_a_key_is_changed_with_no_request_refused(self, place: OwnServer) -> None:
        """R-042: add the second, hand it out, revoke the first."""
        door = guarded(place)
        send = lambda key: place.ask("POST", door.inbox["url"], b"{}", {**JSON, "x-api-key": key}).status  # noqa: E731
        second = place.post(f"/projects/{door.project}/auth_methods", {"name": "second", "kind": "api_key"})
        place.patch(f"/inboxes/{door.inbox['id']}", {"auth_method_ids": [*door.inbox["auth_method_ids"], second["id"]]})
        assert {send(key) for key in (door.key, second["secret"]) for _ in range(20)} == {202}
        place.patch(f"/inboxes/{door.inbox['id']}", {"auth_method_ids": [second["id"]]})
        assert (send(door.key), send(second["secret"])) == (401, 202)

    def test_the_same_key_twice_starts_one_run(self, place: OwnServer) -> None:
        """R-052."""
        project, inbox = place.project(f"twice-{uuid.uuid4().hex[:8]}")
        place.patch(f"/inboxes/{inbox['id']}", {"idempotency": {"header": "Idempotency-Key", "path": None, "window_s": 3600}})
        place.post(f"/projects/{project}/workflows", job_workflow("Once", KEEP, {"kind": "message", "inbox_id": inbox["id"]}))
        first, again = (place.ask("POST", inbox["url"], b"{}", {**JSON, "idempotency-key": "k1"}) for _ in range(2))
        assert (first.status, again.status, again.json["duplicate"]) == (202, 202, True)
        assert first.json["message_id"] == again.json["message_id"]
        assert place.job_states(first.json["message_id"]) == ["Once (success - run 1)"]
        assert len(place.get(f"/projects/{project}/runs")["items"]) == 1

    @pytest.mark.parametrize(
        ("job", "status", "success"),
        [(None, 200, True), (KEEP, 201, True), ("fn(() => { throw new Error('no'); });", 206, False)],
        ids=["nothing matches", "all went well", "one failed"],
    )
    def test_waiting_for_the_end(self, place: OwnServer, job: str | None, status: int, success: bool) -> None:
        """R-051."""
        project, inbox = place.project(f"sync-{uuid.uuid4().hex[:8]}")
        place.patch(f"/inboxes/{inbox['id']}", {"reply": "after_completion"})
        if job:
            place.post(f"/projects/{project}/workflows", job_workflow("Job", job, {"kind": "message", "inbox_id": inbox["id"]}))
        answer = place.ask("POST", inbox["url"], b"{}", JSON)
        assert (answer.status, answer.json["success"], answer.json["match_count"]) == (status, success, 1 if job else 0)


class TestWebhook:
    """``POST /i/<trigger id>``."""

    def test_found(self, place: OwnServer, door: Door) -> None:
        answer = place.ask("GET", door.hook["url"], headers={"x-api-key": door.key})
        assert (answer.status, answer.json["message"].startswith("OpenFn webhook trigger found.")) == (200, True)
        assert place.ask("OPTIONS", door.hook["url"]).status == 204

    @pytest.mark.parametrize(
        ("proof", "body", "kind", "status", "error"),
        [
            ("none", b"{}", "application/json", 401, "Unauthorized"),
            ("wrong", b"{}", "application/json", 404, "Webhook not found"),
            ("key", b"{", "application/json", 400, "malformed_json"),
            ("key", b"<a/>", "text/xml", 415, "unsupported_media_type"),
            ("key", b"[" * 600 + b"]" * 600, "application/json", 422, "validation_failed"),
            ("key", b'"' + b"x" * 10_485_761 + b'"', "application/json", 413, "request_entity_too_large"),
        ],
        ids=["no key", "a wrong key: no oracle", "bad JSON", "XML", "too deep", "more than 10 MB"],
    )
    def test_refused(self, place: OwnServer, door: Door, proof: str, body: bytes, kind: str, status: int, error: str) -> None:
        shown = {"none": {}, "wrong": {"x-api-key": "wrong-" + door.key}, "key": {"x-api-key": door.key}}[proof]
        answer = place.ask("POST", door.hook["url"], body, {"content-type": kind, **shown})
        assert (answer.status, answer.json["error"]) == (status, error)

    def test_unknown(self, place: OwnServer) -> None:
        answer = place.ask("POST", f"/i/{uuid.uuid4()}", b"{}", JSON)
        assert (answer.status, answer.json) == (404, {"error": "Webhook not found"})

    def test_switched_off(self, place: OwnServer) -> None:
        door = guarded(place, enabled=False)
        answer = place.ask("POST", door.hook["url"], b"{}", {**JSON, "x-api-key": door.key})
        assert (answer.status, answer.json["error"]) == (403, "trigger_disabled")

    def test_before_start(self, place: OwnServer, door: Door) -> None:
        answer = place.ask("POST", door.hook["url"] + "/any/thing?a=1", b"[1]", {**JSON, "x-api-key": door.key, "x-mine": "y"})
        assert answer.status == 200
        ids = {answer.headers["x-meta-work-order-id"], answer.headers["x-meta-run-id"]}
        assert ids == {answer.json["work_order_id"], answer.json["run_id"]}
        attempt = place.get(f"/attempts/{answer.json['run_id']}")
        assert attempt["work_order_id"] == answer.json["work_order_id"]
        message = place.get(f"/runs/{attempt['runs'][0]['id']}")["message_id"]
        kept = place.get(f"/messages/{message}")["request"]
        assert (kept["query_params"], kept["headers"]["x-mine"], kept["path"][-2:]) == ({"a": "1"}, "y", ["any", "thing"])
        assert place.get(f"/messages/{message}/body") == {"_json": [1]}

    def test_a_path_of_its_own(self, place: OwnServer) -> None:
        path = f"visits-{uuid.uuid4().hex[:6]}"
        door = guarded(place, custom_path=path)
        assert place.ask("POST", f"/i/{door.project}/{path}/x", b"{}", {**JSON, "x-api-key": door.key}).status == 200

    @pytest.mark.parametrize(
        ("job", "options", "status", "body"),
        [
            ("fn(() => ({ data: 7 }));", {}, 201, {"data": 7}),
            ("fn(() => ({ data: 7 }));", {"success_code": 203}, 203, {"data": 7}),
            ("fn(() => { throw new Error('secret reason'); });", {"error_code": 502}, 502, None),
            ("fn(s => ({ webhookResponse: { status: 418, body: { tea: true } } }));", {}, 418, {"tea": True}),
            ("fn(s => ({ webhookResponse: { status: 204, body: { tea: true } } }));", {}, 204, b""),
            ("fn(s => ({ webhookResponse: { status: 'many' } }));", {}, 201, None),
        ],
        ids=["success", "its code", "failure says nothing", "the job's own words", "an empty answer", "words that cannot be sent"],
    )
    def test_after_completion(self, place: OwnServer, job: str, options: dict[str, object], status: int, body: Any) -> None:
        project, _ = place.project(f"waits-{uuid.uuid4().hex[:8]}")
        trigger = {"kind": "webhook", "reply": "after_completion", **options}
        hook = place.post(f"/projects/{project}/workflows", job_workflow("Job", job, trigger))["triggers"][0]
        answer = place.ask("POST", hook["url"], b"{}", JSON)
        assert answer.status == status
        assert b"secret reason" not in answer.body
        if isinstance(body, bytes):
            assert answer.body == body
        elif status == 418:
            assert answer.json == body
        else:
            assert set(answer.json) == {"data", "meta"}
            assert answer.json["meta"]["state"] == ("failed" if status == 502 else "success")
            assert answer.json["data"] == body or body is None


def test_a_busy_database_is_waited_for_and_then_told(place: OwnServer, project: tuple[str, Mapping[str, Any]]) -> None:
    """R-043: within seconds, with Retry-After; afterwards all is well, and what was sent is there once at most."""
    if place.database_url:
        pytest.skip("one kind of lock is enough")
    held = pysqlite3.connect(str(place.data / "kivuko.db"), isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    answer = place.ask("POST", project[1]["url"], b'{"busy": true}', JSON)
    assert time.monotonic() - began < 20
    held.execute("ROLLBACK")
    held.close()
    assert (answer.status, answer.json["code"]) == (503, "database_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert place.ask("POST", project[1]["url"], b"{}", JSON).status == 202
    newest = place.get(f"/projects/{project[0]}/messages?limit=5")["items"]
    assert sum("busy" in place.get(f"/messages/{each['id']}/body") for each in newest) <= 1
