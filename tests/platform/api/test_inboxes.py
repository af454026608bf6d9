"""Inboxes, authentication methods, credentials."""

from __future__ import annotations

from kivuko.platform.entrances import inbox_by_secret
from platform_api.world import World


def test_an_inbox_is_made_changed_and_deleted(world: World) -> None:
    made = world.api.ask("POST", f"projects/{world.id}/inboxes", {"name": "forms", "idempotency": {"header": "Idempotency-Key"}})
    inbox = made.json
    assert made.status == 201
    assert inbox["idempotency"] == {"header": "Idempotency-Key", "path": None, "window_s": 86400}
    assert made.headers["Location"] == f"/api/v1/inboxes/{inbox['id']}"
    changed = world.api.ask("PATCH", f"inboxes/{inbox['id']}", {"idempotency": None, "lock_version": 1})
    assert (changed.json["idempotency"], changed.json["lock_version"], changed.json["name"]) == (None, 2, "forms")
    assert changed.json["url"] == inbox["url"]
    assert world.api.ask("PATCH", f"inboxes/{inbox['id']}", {"name": "x", "lock_version": 1}).code == "changed_meanwhile"
    assert [each["name"] for each in world.api.get(f"projects/{world.id}/inboxes")["items"]] == ["forms", "inbox"]
    assert world.api.ask("DELETE", f"inboxes/{inbox['id']}").status == 204
    assert world.api.ask("DELETE", f"inboxes/{inbox['id']}").status == 404


def test_an_inbox_that_a_trigger_looks_at_stays(small_world: World) -> None:
    small_world.workflow()
    assert small_world.api.ask("DELETE", f"inboxes/{small_world.inbox['id']}").code == "conflict"


def test_a_rotated_address_works_beside_the_old_one_for_the_overlap(small_world: World) -> None:
    before = small_world.inbox
    rotated = small_world.api.post(f"inboxes/{before['id']}/rotate", {"overlap_s": 60})
    assert rotated["url"] != before["url"]
    old, new = (inbox_by_secret(each["url"].rsplit("/", 1)[1]) for each in (before, rotated))
    assert old is not None
    assert new is not None
    assert old.inbox_id == new.inbox_id
    small_world.api.post(f"inboxes/{before['id']}/rotate", {})
    assert inbox_by_secret(rotated["url"].rsplit("/", 1)[1]) is None


def test_the_secret_of_a_method_is_shown_once(small_world: World) -> None:
    key = small_world.api.post(f"projects/{small_world.id}/auth_methods", {"name": "form system"})
    basic = small_world.api.post(
        f"projects/{small_world.id}/auth_methods", {"name": "lab", "kind": "basic", "username": "lab", "secret": "long enough"}
    )
    assert (key["kind"], len(key["secret"]) >= 32, basic["secret"]) == ("api_key", True, "long enough")
    listed = small_world.api.get(f"projects/{small_world.id}/auth_methods")["items"]
    assert [each["name"] for each in listed] == ["lab", "form system"]
    assert all("secret" not in each for each in listed)
    assert small_world.api.ask("DELETE", f"auth_methods/{key['id']}").status == 204
    assert small_world.api.ask("DELETE", f"auth_methods/{key['id']}").status == 404


def test_the_body_of_a_credential_is_never_read_back(small_world: World) -> None:
    body = {"username": "u", "password": "the-secret-of-all"}
    answer = small_world.api.ask("POST", f"projects/{small_world.id}/credentials", {"name": "DHIS2", "schema": "dhis2", "body": body})
    made = answer.json
    assert (answer.status, made["keys"], made["schema"]) == (201, ["password", "username"], "dhis2")
    changed = small_world.api.ask("PATCH", f"credentials/{made['id']}", {"body": {"token": "the-secret-of-all"}})
    assert (changed.json["keys"], changed.json["lock_version"]) == (["token"], 2)
    listed = small_world.api.ask("GET", f"projects/{small_world.id}/credentials")
    assert listed.json["items"] == [changed.json]
    assert b"the-secret-of-all" not in answer.body + changed.body + listed.body
    assert small_world.api.ask("PATCH", f"credentials/{made['id']}", {"name": "y"}, {"If-Match": '"1"'}).code == "changed_meanwhile"
    assert small_world.api.ask("DELETE", f"credentials/{made['id']}").status == 204


def test_a_credential_that_a_job_uses_stays(small_world: World) -> None:
    made = small_world.api.post(f"projects/{small_world.id}/credentials", {"name": "c", "body": {}})
    flow = small_world.workflow()
    jobs = [{**flow["jobs"][0], "credential_id": made["id"]}]
    assert small_world.api.ask("PATCH", f"workflows/{flow['id']}", {"jobs": jobs}).status == 200
    answer = small_world.api.ask("DELETE", f"credentials/{made['id']}")
    assert (answer.status, answer.code) == (409, "conflict")
