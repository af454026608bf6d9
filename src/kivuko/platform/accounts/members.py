"""Who belongs to a project."""

from __future__ import annotations

from dataclasses import dataclass

from kivuko.errors import Conflict, ObjectMissing, ValidationFailed
from kivuko.platform.accounts.actors import Actor
from kivuko.platform.accounts.models import ROLES, Membership, User
from kivuko.platform.audit.trail import note
from kivuko.platform.changes import configuration_change
from kivuko.records import Id

__all__ = ["Member", "members", "remove_member", "set_member"]


@dataclass(frozen=True)
class Member:
    """A person in a project."""

    user_id: Id
    email: str
    name: str
    role: str


def members(project_id: Id) -> list[Member]:
    """The active members of a project, in the order in which they came."""
    rows = Membership.objects.filter(project_id=project_id, user__is_active=True).select_related("user").order_by("inserted_at", "id")
    return [Member(row.user.id, row.user.email, row.user.name, row.role) for row in rows]


def set_member(project_id: Id, user_id: Id, role: str, *, actor: Actor) -> None:
    """Adds a member or gives one another role; who is made owner replaces the owner, who becomes admin.

    Raises ValidationFailed for a role that is none, ObjectMissing for a user that is none, Conflict for the owner's own role.
    """
    if role not in ROLES:
        raise ValidationFailed(errors={"role": [f"must be one of {', '.join(ROLES)}"]})
    with configuration_change():
        if not User.objects.filter(id=user_id).exists():
            raise ObjectMissing()
        found = Membership.objects.select_for_update().filter(project_id=project_id, user_id=user_id).first()
        if found is not None and found.role == "owner" and role != "owner":
            raise Conflict("a project has an owner", fix="Make somebody else the owner first.")
        if role == "owner":
            Membership.objects.filter(project_id=project_id, role="owner").exclude(user_id=user_id).update(role="admin")
        Membership.objects.update_or_create(project_id=project_id, user_id=user_id, defaults={"role": role})
        before = {"role": found.role} if found else None
        note(actor, "member_set", "user", user_id, project_id=project_id, before=before, after={"role": role})


def remove_member(project_id: Id, user_id: Id, *, actor: Actor) -> None:
    """Takes a member out. Raises ObjectMissing, Conflict for the owner."""
    with configuration_change():
        found = Membership.objects.select_for_update().filter(project_id=project_id, user_id=user_id).first()
        if found is None:
            raise ObjectMissing()
        if found.role == "owner":
            raise Conflict("a project has an owner", fix="Make somebody else the owner first.")
        found.delete()
        note(actor, "member_removed", "user", user_id, project_id=project_id, before={"role": found.role})
