"""Projects: creating, changing, deleting."""

from __future__ import annotations

from typing import Any

import pytest

from kivuko.errors import ChangedMeanwhile, Conflict, ObjectMissing, ValidationFailed
from kivuko.platform.audit.models import AuditEntry
from kivuko.platform.inbox.changing import inbox_url, inboxes_of
from kivuko.platform.projects.changing import RETENTION_DAYS, create_project, delete_project, update_project
from kivuko.platform.projects.settings import all_projects, deleted_projects, project_settings
from kivuko.records import new_id
from own_platform import Place


def test_a_new_project_has_one_inbox_and_its_author_as_owner(platform: Place) -> None:
    identity = new_id()
    made = create_project({"id": str(identity), "name": "clinic", "timezone": "Africa/Freetown"}, actor=platform.admin)
    assert made.settings.id == identity
    assert [each.id for each in inboxes_of(identity)] == [made.inbox_id]
    assert inbox_url(made.inbox_id).startswith("http://127.0.0.1:4000/inbox/")
    assert project_settings(identity) == made.settings


def test_a_new_project_has_no_limits_and_keeps_everything(platform: Place) -> None:
    found = create_project({"name": "clinic"}, actor=platform.admin).settings
    assert (found.concurrency, found.erases, found.keep_logs, found.timezone) == (None, False, True, "UTC")
    assert (found.history_retention_days, found.message_retention_days, found.dataclip_retention_days) == (None, None, None)


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({}, "name"),
        ({"name": "Clinic"}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "clinic\n"}, "name"),
        ({"name": "a", "description": "x" * 241}, "description"),
        ({"name": "a", "timezone": "Mars/Base"}, "timezone"),
        ({"name": "a", "concurrency": 0}, "concurrency"),
        ({"name": "a", "retention_policy": "burn"}, "retention_policy"),
        ({"name": "a", "history_retention_days": 8}, "history_retention_days"),
        ({"name": "a", "history_retention_days": 7, "message_retention_days": 30}, "message_retention_days"),
        ({"name": "a", "retention_policy": "erase_all", "dataclip_retention_days": 7}, "retention_policy"),
        ({"name": "a", "colour": "red"}, "colour"),
        ({"name": "a", "id": "x"}, "id"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_by_path(sqlite_platform: Place, values: dict[str, Any], path: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        create_project(values, actor=sqlite_platform.admin)
    assert list(refused.value.errors) == [path]
    assert list(all_projects()) == []


@pytest.mark.parametrize("days", [*RETENTION_DAYS, None])
def test_the_usual_retention_periods_are_accepted(sqlite_platform: Place, days: int | None) -> None:
    found = create_project({"name": "a", "history_retention_days": days, "message_retention_days": days}, actor=sqlite_platform.admin)
    assert found.settings.history_retention_days == days


def test_ids_and_names_are_taken_once(platform: Place) -> None:
    first = platform.project("clinic")
    with pytest.raises(Conflict, match="id"):
        create_project({"id": str(first.id), "name": "other"}, actor=platform.admin)
    with pytest.raises(Conflict, match="name"):
        create_project({"name": "clinic"}, actor=platform.admin)
    other = platform.project("other")
    with pytest.raises(Conflict, match="name"):
        update_project(other.id, {"name": "clinic"}, actor=platform.admin)


def test_a_change_touches_what_it_names_only(platform: Place) -> None:
    project = platform.project("clinic", description="first", concurrency=3)
    found = update_project(project.id, {"description": "second"}, actor=platform.admin)
    assert (found.name, found.description, found.concurrency, found.lock_version) == ("clinic", "second", 3, 2)
    found = update_project(project.id, {"concurrency": None, "description": None}, actor=platform.admin, lock_version=2)
    assert (found.description, found.concurrency, found.lock_version) == ("", None, 3)


def test_a_change_that_changes_nothing_makes_no_version(platform: Place) -> None:
    project = platform.project("clinic")
    assert update_project(project.id, {"name": "clinic"}, actor=platform.admin).lock_version == 1
    assert AuditEntry.objects.filter(item_type="project", event="updated").count() == 0


def test_who_is_behind_is_told_how_it_is_now(platform: Place) -> None:
    project = platform.project()
    update_project(project.id, {"description": "newer"}, actor=platform.admin)
    with pytest.raises(ChangedMeanwhile) as error:
        update_project(project.id, {"description": "older"}, actor=platform.admin, lock_version=1)
    assert error.value.current is not None
    assert error.value.current["description"] == "newer"


def test_a_deleted_project_is_gone_and_its_name_is_free(platform: Place) -> None:
    project = platform.project("clinic")
    delete_project(project.id, actor=platform.admin)
    for act in (
        lambda: delete_project(project.id, actor=platform.admin),
        lambda: project_settings(project.id),
        lambda: update_project(project.id, {"description": "x"}, actor=platform.admin),
    ):
        with pytest.raises(ObjectMissing):
            act()
    assert list(deleted_projects()) == [project.id]
    again = platform.project("clinic")
    assert [each.id for each in all_projects()] == [again.id]


def test_retention_and_access_changes_are_noted_with_before_and_after(platform: Place) -> None:
    project = platform.project()
    update_project(project.id, {"history_retention_days": 30}, actor=platform.admin)
    entry = AuditEntry.objects.get(item_type="project", event="updated")
    assert entry.changes["before"] == {"history_retention_days": None, "lock_version": 1}
    assert entry.changes["after"] == {"history_retention_days": 30, "lock_version": 2}
    assert (entry.project_id, entry.actor_id, entry.actor_kind) == (project.id, platform.admin.user_id, "user")
