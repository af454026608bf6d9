"""Who may do what in a project: the permission matrix as a table (platform §5.5)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from kivuko.errors import Forbidden, ObjectMissing
from kivuko.platform.accounts.actors import Actor
from kivuko.platform.accounts.models import ROLES, Membership
from kivuko.records import Id

__all__ = ["LEAST_ROLE", "Action", "may", "project_ids_of", "require", "role_in"]


class Action(Enum):
    """What somebody may be allowed to do in a project."""

    SEE = "see the project, its workflows, history and logs"
    DESIGN = "create, change and delete workflows, switch triggers"
    RUN = "run, rerun, retry and cancel, post and edit messages"
    SEE_ADDRESSES = "see the addresses of inboxes"
    USE_CREDENTIALS = "create credentials of the project and choose them"
    MANAGE_INBOXES = "create, change and rotate inboxes"
    MANAGE_AUTH_METHODS = "create and delete authentication methods"
    MANAGE_MEMBERS = "add, change and remove members"
    CONFIGURE = "change name, retention, limits and other settings of the project"
    DELETE = "delete the project"
    READ_AUDIT = "read the audit trail of the project"


LEAST_ROLE: Mapping[Action, str] = {
    Action.SEE: "viewer",
    Action.DESIGN: "editor",
    Action.RUN: "editor",
    Action.SEE_ADDRESSES: "editor",
    Action.USE_CREDENTIALS: "editor",
    Action.MANAGE_INBOXES: "admin",
    Action.MANAGE_AUTH_METHODS: "admin",
    Action.MANAGE_MEMBERS: "admin",
    Action.CONFIGURE: "admin",
    Action.DELETE: "owner",
    Action.READ_AUDIT: "admin",
}
"""The least role that may do it; roles above may too."""


def role_in(actor: Actor, project_id: Id) -> str | None:
    """The actor's role in a project that is there; None for who is no member. Being superuser gives none."""
    if actor.user_id is None:
        return "owner"
    members = Membership.objects.filter(project_id=project_id, user_id=actor.user_id, project__deleted_at__isnull=True)
    return members.values_list("role", flat=True).first()


def may(role: str | None, action: Action) -> bool:
    """Whether this role may do it; nobody's role may nothing."""
    return role is not None and ROLES.index(role) <= ROLES.index(LEAST_ROLE[action])


def require(actor: Actor, project_id: Id, action: Action) -> str:
    """The actor's role, when it may do that. Raises ObjectMissing for who is no member, Forbidden for whose role does not allow it."""
    role = role_in(actor, project_id)
    if role is None:
        raise ObjectMissing()
    if not may(role, action):
        raise Forbidden(f"your role {role} does not allow to {action.value}")
    return role


def project_ids_of(actor: Actor) -> dict[Id, str]:
    """The projects that an actor is a member of, with their roles."""
    members = Membership.objects.filter(user_id=actor.user_id, project__deleted_at__isnull=True)
    return dict(members.values_list("project_id", "role"))
