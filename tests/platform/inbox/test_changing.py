"""Inboxes and authentication methods: creating, changing, deleting."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from kivuko.errors import ChangedMeanwhile, Conflict, ObjectMissing, ValidationFailed
from kivuko.platform.audit.models import AuditEntry
from kivuko.platform.inbox.authentication import create_auth_method, delete_auth_method
from kivuko.platform.inbox.changing import create_inbox, delete_inbox, inbox_url, inbox_value, inboxes_of, rotate_inbox, update_inbox
from kivuko.platform.inbox.models import AuthMethod
from own_platform import Place, trigger, workflow


def test_an_address_is_a_random_uuid(platform: Place) -> None:
    project = platform.project()
    made = create_inbox(project.id, {"name": "second"}, actor=platform.admin)
    secret = inbox_url(made.id).rpartition("/")[2]
    assert uuid.UUID(secret).version == 4
    assert secret == str(uuid.UUID(secret))
    assert inbox_url(made.id) == inbox_url(made.id)
    assert len(inboxes_of(project.id)) == 2


def test_an_address_may_be_brought_along_once(platform: Place) -> None:
    project, secret = platform.project(), str(uuid.uuid4())
    made = create_inbox(project.id, {"name": "from openfn"}, actor=platform.admin, secret=secret)
    assert inbox_url(made.id).endswith(secret)
    with pytest.raises(Conflict):
        create_inbox(project.id, {"name": "again"}, actor=platform.admin, secret=secret)
    assert len(inboxes_of(project.id)) == 2


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"name": "inbox"}, "name"),
        ({"name": ""}, "name"),
        ({"body_limit_bytes": 0}, "body_limit_bytes"),
        ({"reply": "later"}, "reply"),
        ({"auth_method_ids": ["01900000-0000-7000-8000-000000000001"]}, "auth_method_ids"),
        ({"idempotency": {"header": "a b"}}, "idempotency.header"),
        ({"idempotency": {"window_s": 0, "path": "a"}}, "idempotency.window_s"),
        ({"idempotency": {"hash": True}}, "idempotency.hash"),
        ({"secret": "x"}, "secret"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_by_path(sqlite_platform: Place, values: dict[str, Any], path: str) -> None:
    project = sqlite_platform.project()
    second = create_inbox(project.id, {"name": "second"}, actor=sqlite_platform.admin)
    with pytest.raises(ValidationFailed) as refused:
        update_inbox(second.id, values, actor=sqlite_platform.admin)
    assert [each.split(" ")[0] for each in refused.value.errors] == [path]


def test_an_empty_idempotency_rule_is_none(sqlite_platform: Place) -> None:
    inbox = inboxes_of(sqlite_platform.project().id)[0]
    assert update_inbox(inbox.id, {"idempotency": {}}, actor=sqlite_platform.admin).idempotency is None


def test_a_change_counts_and_who_is_behind_is_told(platform: Place) -> None:
    inbox = inboxes_of(platform.project().id)[0]
    assert update_inbox(inbox.id, {"name": "forms"}, actor=platform.admin, lock_version=1).lock_version == 2
    with pytest.raises(ChangedMeanwhile) as error:
        update_inbox(inbox.id, {"name": "other"}, actor=platform.admin, lock_version=1)
    assert error.value.current == inbox_value(inbox.id).as_json()


def test_an_inbox_with_triggers_cannot_be_deleted(platform: Place) -> None:
    project = platform.project()
    inbox = inboxes_of(project.id)[0]
    written = workflow("Referrals", triggers=[trigger("message", inbox_id=str(inbox.id))])
    platform.save(project, written)
    with pytest.raises(Conflict, match="'Referrals'"):
        delete_inbox(inbox.id, actor=platform.admin)
    platform.save(project, {**written, "triggers": []})
    delete_inbox(inbox.id, actor=platform.admin)
    for act in (lambda: inbox_value(inbox.id), lambda: inbox_url(inbox.id), lambda: delete_inbox(inbox.id, actor=platform.admin)):
        with pytest.raises(ObjectMissing):
            act()


@pytest.mark.parametrize("overlap_s", [-1, 10**9, True])
def test_an_overlap_has_bounds(sqlite_platform: Place, overlap_s: int) -> None:
    inbox = inboxes_of(sqlite_platform.project().id)[0]
    with pytest.raises(ValidationFailed):
        rotate_inbox(inbox.id, overlap_s, actor=sqlite_platform.admin)


def test_rotation_is_noted_without_the_secret(platform: Place) -> None:
    inbox = inboxes_of(platform.project().id)[0]
    url = rotate_inbox(inbox.id, 60, actor=platform.admin)
    assert url == inbox_url(inbox.id)
    entry = AuditEntry.objects.get(event="rotated")
    assert entry.changes["after"] == {"overlap_s": 60}


def test_the_secret_of_a_method_is_shown_once(platform: Place) -> None:
    project = platform.project()
    made = create_auth_method(project.id, {"name": "key", "kind": "api_key"}, actor=platform.admin)
    assert made.secret is not None
    assert len(made.secret) == 43
    kept = AuthMethod.objects.get(project_id=project.id)
    assert (kept.id, kept.name, kept.kind, kept.username) == (made.id, "key", "api_key", None)
    assert made.secret.encode() not in bytes(kept.sealed)
    delete_auth_method(made.id, actor=platform.admin)
    assert not AuthMethod.objects.filter(project_id=project.id).exists()
    with pytest.raises(ObjectMissing):
        delete_auth_method(made.id, actor=platform.admin)


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"kind": "api_key"}, "name"),
        ({"name": "taken"}, "name"),
        ({"name": "a", "kind": "magic"}, "kind"),
        ({"name": "a", "kind": "basic"}, "username"),
        ({"name": "a", "kind": "basic", "username": "a:b"}, "username"),
        ({"name": "a", "kind": "api_key", "username": "a"}, "username"),
        ({"name": "a", "secret": "short"}, "secret"),
        ({"name": "a", "x": 1}, "x"),
    ],
    ids=str,
)
def test_a_method_that_cannot_be_is_refused_by_path(sqlite_platform: Place, values: dict[str, Any], path: str) -> None:
    project = sqlite_platform.project()
    create_auth_method(project.id, {"name": "taken"}, actor=sqlite_platform.admin)
    with pytest.raises(ValidationFailed) as refused:
        create_auth_method(project.id, values, actor=sqlite_platform.admin)
    assert list(refused.value.errors) == [path]
