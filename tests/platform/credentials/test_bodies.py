"""Credentials: written, used, never read back."""

from __future__ import annotations

from typing import Any

import pytest

from kivuko.errors import ChangedMeanwhile, Conflict, ObjectMissing, ValidationFailed
from kivuko.platform.audit.models import AuditEntry
from kivuko.platform.credentials.bodies import (
    create_credential,
    credential_body,
    credential_value,
    credentials_of,
    delete_credential,
    update_credential,
)
from kivuko.platform.credentials.models import Credential
from kivuko.records import new_id
from own_platform import Place, job, workflow

BODY = {"hostUrl": "https://dhis2.example.org", "username": "admin", "password": "district", "nested": {"a": [1, None, "ü"]}}


def test_a_body_is_for_jobs_of_its_project_only(platform: Place) -> None:
    project, other = platform.project(), platform.project("other")
    made = create_credential(project.id, {"name": "dhis2", "schema": "dhis2", "body": BODY}, actor=platform.admin)
    assert credential_body(made.id, project.id) == BODY
    with pytest.raises(ObjectMissing):
        credential_body(made.id, other.id)
    with pytest.raises(ObjectMissing):
        credential_body(new_id(), project.id)


def test_people_see_the_names_of_its_values(platform: Place) -> None:
    project = platform.project()
    made = create_credential(project.id, {"name": "dhis2", "external_id": "abc123", "body": BODY}, actor=platform.admin)
    assert made.as_json() == {
        "id": str(made.id),
        "name": "dhis2",
        "schema": "raw",
        "external_id": "abc123",
        "keys": ["hostUrl", "nested", "password", "username"],
        "lock_version": 1,
    }
    assert credentials_of(project.id) == [made] == [credential_value(made.id)]


def test_a_new_body_replaces_the_old_one(platform: Place) -> None:
    project = platform.project()
    made = create_credential(project.id, {"name": "a", "body": BODY}, actor=platform.admin)
    changed = update_credential(made.id, {"body": {"token": "t"}}, actor=platform.admin, lock_version=1)
    assert (changed.keys, changed.lock_version) == (("token",), 2)
    assert credential_body(made.id, project.id) == {"token": "t"}
    assert update_credential(made.id, {"name": "b"}, actor=platform.admin).keys == ("token",)
    assert credential_body(made.id, project.id) == {"token": "t"}
    with pytest.raises(ChangedMeanwhile):
        update_credential(made.id, {"name": "c"}, actor=platform.admin, lock_version=1)


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"body": {}}, "name"),
        ({"name": "taken", "body": {}}, "name"),
        ({"name": "a/b", "body": {}}, "name"),
        ({"name": "a"}, "body"),
        ({"name": "a", "body": "secret"}, "body"),
        ({"name": "a", "body": {"x": "y" * 200_000}}, "body"),
        ({"name": "a", "body": {}, "external_id": "taken"}, "external_id"),
        ({"name": "a", "body": {}, "schema": "x" * 41}, "schema"),
        ({"name": "a", "body": {}, "colour": 1}, "colour"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_is_refused_by_path_without_the_secret(sqlite_platform: Place, values: dict[str, Any], path: str) -> None:
    project = sqlite_platform.project()
    create_credential(project.id, {"name": "taken", "external_id": "taken", "body": {}}, actor=sqlite_platform.admin)
    with pytest.raises(ValidationFailed) as refused:
        create_credential(project.id, values, actor=sqlite_platform.admin)
    assert list(refused.value.errors) == [path]
    assert "secret" not in str(refused.value) + repr(refused.value.errors)


def test_an_id_is_taken_once(platform: Place) -> None:
    project = platform.project()
    made = create_credential(project.id, {"name": "a", "body": {}}, actor=platform.admin)
    with pytest.raises(Conflict):
        create_credential(project.id, {"id": str(made.id), "name": "b", "body": {}}, actor=platform.admin)


def test_a_credential_in_use_cannot_be_deleted(platform: Place) -> None:
    project = platform.project()
    made = create_credential(project.id, {"name": "a", "body": BODY}, actor=platform.admin)
    written = workflow("Referrals", jobs=[job("Referral", credential_id=str(made.id))])
    platform.save(project, written)
    with pytest.raises(Conflict, match="'Referral' of workflow 'Referrals'"):
        delete_credential(made.id, actor=platform.admin)
    platform.save(project, {**written, "jobs": []})
    delete_credential(made.id, actor=platform.admin)
    assert Credential.objects.count() == 0
    with pytest.raises(ObjectMissing):
        delete_credential(made.id, actor=platform.admin)


def test_the_trail_says_what_happened_without_values(platform: Place) -> None:
    project = platform.project()
    made = create_credential(project.id, {"name": "a", "body": BODY}, actor=platform.admin)
    update_credential(made.id, {"body": {"password": "new secret"}}, actor=platform.admin)
    delete_credential(made.id, actor=platform.admin)
    entries = list(AuditEntry.objects.filter(item_type="credential").order_by("id"))
    assert [each.event for each in entries] == ["created", "updated", "deleted"]
    stored = repr([each.changes for each in entries])
    assert "district" not in stored
    assert "new secret" not in stored
