"""The permission matrix, cell by cell, and who belongs to a project."""

from __future__ import annotations

import pytest
from django.db import IntegrityError

from kivuko.errors import Forbidden, ObjectMissing
from kivuko.platform.accounts.actors import SYSTEM, Actor
from kivuko.platform.accounts.members import members
from kivuko.platform.accounts.models import ROLES, Membership, User
from kivuko.platform.accounts.policies import LEAST_ROLE, Action, may, project_ids_of, require, role_in
from kivuko.platform.projects.changing import delete_project
from kivuko.platform.projects.models import Project
from kivuko.records import Id
from own_platform import Place

MATRIX = {
    # platform §5.5: owner, admin, editor, viewer
    Action.SEE: "yyyy",
    Action.DESIGN: "yyy-",
    Action.RUN: "yyy-",
    Action.SEE_ADDRESSES: "yyy-",
    Action.USE_CREDENTIALS: "yyy-",
    Action.MANAGE_INBOXES: "yy--",
    Action.MANAGE_AUTH_METHODS: "yy--",
    Action.MANAGE_MEMBERS: "yy--",
    Action.CONFIGURE: "yy--",
    Action.READ_AUDIT: "yy--",
    Action.DELETE: "y---",
}


def joined(platform: Place, project: Project, role: str) -> Actor:
    actor = platform.user(f"a-{role}@example.org")
    if role != "owner":
        Membership.objects.create(project=project, user_id=the_user(actor), role=role)
    return platform.admin if role == "owner" else actor


def the_user(actor: Actor) -> Id:
    assert actor.user_id is not None
    return actor.user_id


def test_every_action_has_a_least_role() -> None:
    assert set(LEAST_ROLE) == set(Action) == set(MATRIX)


@pytest.mark.parametrize("action", list(Action), ids=lambda action: action.name)
def test_the_matrix(action: Action) -> None:
    assert "".join("y" if may(role, action) else "-" for role in ROLES) == MATRIX[action]
    assert not may(None, action)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_required(platform: Place, role: str) -> None:
    project = platform.project()
    actor = joined(platform, project, role)
    assert require(actor, project.id, Action.SEE) == role
    for action in Action:
        if not may(role, action):
            with pytest.raises(Forbidden, match=role):
                require(actor, project.id, action)


def test_a_project_of_others_is_not_there(platform: Place) -> None:
    project, stranger = platform.project(), platform.user("stranger@example.org")
    with pytest.raises(ObjectMissing):
        require(stranger, project.id, Action.SEE)
    assert role_in(stranger, project.id) is None
    assert project_ids_of(stranger) == {}


def test_being_superuser_is_no_role_in_a_project(platform: Place) -> None:
    project, stranger = platform.project(), platform.user("stranger@example.org")
    root = Actor(stranger.user_id, is_superuser=True)
    assert role_in(root, project.id) is None


def test_a_deleted_project_is_nobodys(platform: Place) -> None:
    project = platform.project()
    assert project_ids_of(platform.admin) == {project.id: "owner"}
    delete_project(project.id, actor=platform.admin)
    assert project_ids_of(platform.admin) == {}
    with pytest.raises(ObjectMissing):
        require(platform.admin, project.id, Action.SEE)


def test_the_system_may_everything(sqlite_platform: Place) -> None:
    assert require(SYSTEM, sqlite_platform.project().id, Action.DELETE) == "owner"


def test_members_come_with_their_roles(platform: Place) -> None:
    project, editor = platform.project(), platform.user("e@example.org")
    Membership.objects.create(project=project, user_id=the_user(editor), role="editor")
    assert [(each.email, each.role) for each in members(project.id)] == [("admin@example.org", "owner"), ("e@example.org", "editor")]
    User.objects.filter(id=the_user(editor)).update(is_active=False)
    assert [each.email for each in members(project.id)] == ["admin@example.org"]


def test_a_project_has_one_owner(platform: Place) -> None:
    project, heir = platform.project(), platform.user("heir@example.org")
    Membership.objects.create(project=project, user_id=the_user(heir), role="admin")
    with pytest.raises(IntegrityError):
        Membership.objects.filter(user_id=the_user(heir)).update(role="owner")
