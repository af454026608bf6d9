"""Authentication methods of senders: made with a secret that is shown once."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from kivuko.errors import ObjectMissing
from kivuko.platform.accounts.actors import Actor
from kivuko.platform.audit.trail import note
from kivuko.platform.changes import configuration_change
from kivuko.platform.inbox.models import AuthMethod
from kivuko.platform.sealing import seal_for
from kivuko.platform.workflows.fields import Fields, Mistakes
from kivuko.records import Id, new_id

__all__ = ["AuthMethodValue", "create_auth_method", "delete_auth_method"]


@dataclass(frozen=True)
class AuthMethodValue:
    """A method. ``secret`` is the key or the password, only when it was just made; ``kind`` is ``api_key`` or ``basic``."""

    id: Id
    project_id: Id
    name: str
    kind: str
    username: str | None
    secret: str | None = field(default=None, repr=False)


def create_auth_method(project_id: Id, values: Mapping[str, object], *, actor: Actor) -> AuthMethodValue:
    """Makes a method of ``name``, ``kind``, for ``basic`` also ``username``; ``secret`` may be brought along (8 characters or more).

    Raises ValidationFailed.
    """
    mistakes = Mistakes()
    fields = Fields(values, "", mistakes)
    kind = fields.one_of("kind", ("api_key", "basic"), "api_key")
    username = fields.text("username", required=kind == "basic")
    secret = fields.text("secret", at_most=1000) or secrets.token_urlsafe(32)
    row = AuthMethod(id=fields.id("id") or new_id(), project_id=project_id, kind=kind, username=username)
    row.name = fields.text("name", required=True, at_most=100) or ""
    fields.close()
    if kind == "api_key" and username is not None:
        fields.wrong("username", "is for Basic authentication only")
    if username is not None and ":" in username:
        fields.wrong("username", "must not contain a colon")
    if len(secret) < 8:
        fields.wrong("secret", "must have at least 8 characters")
    text = secret if kind == "api_key" else f"{username}:{secret}"
    row.sealed = seal_for(row, sha256(text.encode()).digest())
    with configuration_change():
        if AuthMethod.objects.filter(project_id=project_id, name=row.name).exists():
            fields.wrong("name", f"{row.name!r} is the name of another method of this project")
        if AuthMethod.objects.filter(id=row.id).exists():
            fields.wrong("id", "is taken")
        mistakes.refuse()
        row.save(force_insert=True)
        note(actor, "created", "auth_method", row.id, project_id=project_id, after={"name": row.name, "kind": kind, "username": username})
    return _value(row, secret)


def delete_auth_method(auth_method_id: Id, *, actor: Actor) -> None:
    """Takes a method away: its secret is dead at once. An inbox or webhook that had no other one lets nobody in. Raises ObjectMissing."""
    with configuration_change():
        row = AuthMethod.objects.filter(id=auth_method_id, project__deleted_at__isnull=True).first()
        if row is None:
            raise ObjectMissing()
        row.delete()
        note(actor, "deleted", "auth_method", auth_method_id, project_id=row.project_id, before={"name": row.name, "kind": row.kind})


def _value(row: AuthMethod, secret: str | None = None) -> AuthMethodValue:
    return AuthMethodValue(row.id, row.project_id, row.name, row.kind, row.username, secret)
