"""Who belongs to a project."""

from __future__ import annotations

from dataclasses import dataclass

from kivuko.platform.accounts.models import Membership
from kivuko.records import Id

__all__ = ["Member", "members"]


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
