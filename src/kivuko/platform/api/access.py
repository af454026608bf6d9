"""Whether who asks may see or change what belongs to a project. Another project's object answers like one that does not exist."""

from __future__ import annotations

from typing import TypeVar

from django.http import HttpRequest

from kivuko.errors import ObjectMissing
from kivuko.platform.accounts import policies
from kivuko.platform.accounts.policies import Action
from kivuko.platform.api.authentication import actor_of
from kivuko.platform.projects.models import Project
from kivuko.records import Id

__all__ = ["found", "project_of", "require"]

T = TypeVar("T")


def require(request: HttpRequest, project_id: Id, action: Action = Action.SEE) -> str:
    """The role of who asks: one statement. Raises ObjectMissing for who is no member, Forbidden for too low a role."""
    return policies.require(actor_of(request), project_id, action)


def project_of(request: HttpRequest, project_id: Id, action: Action = Action.SEE) -> Project:
    """The project, for who may do that. Raises ObjectMissing and Forbidden."""
    require(request, project_id, action)
    return found(Project.objects.filter(id=project_id, deleted_at__isnull=True).first())


def found(thing: T | None) -> T:
    """The thing. Raises ObjectMissing when there is none."""
    if thing is None:
        raise ObjectMissing()
    return thing
