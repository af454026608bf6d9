"""Credentials: written, used by jobs, never read back by people."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from kivuko.errors import ChangedMeanwhile, Conflict, ObjectMissing
from kivuko.platform.accounts.actors import Actor
from kivuko.platform.audit.trail import note
from kivuko.platform.changes import configuration_change
from kivuko.platform.credentials.models import Credential
from kivuko.platform.reaching import reaching
from kivuko.platform.sealing import open_from, seal_for
from kivuko.platform.workflows.fields import Fields, Mistakes
from kivuko.platform.workflows.models import JobRow
from kivuko.records import Id, new_id

__all__ = [
    "CredentialValue",
    "create_credential",
    "credential_body",
    "credential_value",
    "credentials_of",
    "delete_credential",
    "update_credential",
]

LARGEST_BODY_BYTES = 100_000
_NAME = re.compile(r"[a-zA-Z0-9_\- ]+\Z")


@dataclass(frozen=True)
class CredentialValue:
    """A credential without its secret. ``keys`` are the names of its values."""

    id: Id
    project_id: Id
    name: str
    schema: str
    external_id: str | None
    keys: tuple[str, ...]
    lock_version: int

    def as_json(self) -> dict[str, object]:
        """JSON values."""
        return {
            "id": str(self.id),
            "name": self.name,
            "schema": self.schema,
            "external_id": self.external_id,
            "keys": list(self.keys),
            "lock_version": self.lock_version,
        }


@reaching()
def credential_body(credential_id: Id, project_id: Id) -> Mapping[str, object]:
    """The decrypted body, for a job of this project. Raises ObjectMissing for another project's, SecretUnreadable, RecordsUnavailable."""
    found = Credential.objects.filter(id=credential_id, project_id=project_id).first()
    if found is None:
        raise ObjectMissing(f"credential {credential_id} is not in this project")
    body: dict[str, object] = json.loads(open_from(found, found.sealed))
    return body


def credential_value(credential_id: Id) -> CredentialValue:
    """One credential. Raises ObjectMissing."""
    found = Credential.objects.filter(id=credential_id, project__deleted_at__isnull=True).first()
    if found is None:
        raise ObjectMissing()
    return _value(found)


def credentials_of(project_id: Id) -> list[CredentialValue]:
    """The credentials of a project, by name."""
    return [_value(row) for row in Credential.objects.filter(project_id=project_id).order_by("name")]


def create_credential(project_id: Id, values: Mapping[str, object], *, actor: Actor) -> CredentialValue:
    """Makes a credential of ``name``, ``schema``, ``external_id`` and ``body``. Raises ValidationFailed, Conflict."""
    mistakes = Mistakes()
    fields = Fields(values, "", mistakes)
    row = Credential(id=fields.id("id") or new_id(), project_id=project_id, owner_id=actor.user_id)
    with configuration_change():
        row.name = fields.text("name", required=True) or ""
        if "body" not in fields:
            fields.wrong("body", "must be an object")
        _change(row, fields)
        mistakes.refuse()
        if Credential.objects.filter(id=row.id).exists():
            raise Conflict("the id of the credential is taken", fix="Choose another one.")
        row.save(force_insert=True)
        note(actor, "created", "credential", row.id, project_id=project_id, after=_value(row).as_json())
    return _value(row)


def update_credential(credential_id: Id, values: Mapping[str, object], *, actor: Actor, lock_version: int | None = None) -> CredentialValue:
    """Changes what ``values`` name; a ``body`` replaces the whole one. Raises ValidationFailed, ObjectMissing, ChangedMeanwhile."""
    with configuration_change():
        row = Credential.objects.select_for_update().filter(id=credential_id, project__deleted_at__isnull=True).first()
        if row is None:
            raise ObjectMissing()
        before = _value(row).as_json()
        if lock_version is not None and lock_version != row.lock_version:
            raise ChangedMeanwhile(current=before)
        mistakes = Mistakes()
        fields = Fields(values, "", mistakes)
        fields.skip("id", "keys", "lock_version")
        row.name = fields.text("name", row.name, required="name" in fields) or ""
        _change(row, fields)
        mistakes.refuse()
        row.lock_version += 1
        row.save()
        note(actor, "updated", "credential", row.id, project_id=row.project_id, before=before, after=_value(row).as_json())
    return _value(row)


def delete_credential(credential_id: Id, *, actor: Actor) -> None:
    """Deletes a credential, for good. Raises ObjectMissing; Conflict while jobs use it."""
    with configuration_change():
        row = Credential.objects.filter(id=credential_id, project__deleted_at__isnull=True).first()
        if row is None:
            raise ObjectMissing()
        used = JobRow.objects.filter(credential_id=row.id, archived_at__isnull=True).select_related("workflow").first()
        if used is not None:
            raise Conflict(
                f"job {used.name!r} of workflow {used.workflow.name!r} uses this credential", fix="Give the job another one first."
            )
        before = _value(row).as_json()
        row.delete()
        note(actor, "deleted", "credential", credential_id, project_id=row.project_id, before=before)


def _change(row: Credential, fields: Fields) -> None:
    row.schema = fields.text("schema", row.schema, at_most=40) or "raw"
    if "external_id" in fields:
        row.external_id = fields.text("external_id")
    if not _NAME.match(row.name):
        fields.wrong("name", "may have letters, digits, spaces, - and _ only")
    others = Credential.objects.filter(project_id=row.project_id).exclude(id=row.id)
    if others.filter(name=row.name).exists():
        fields.wrong("name", f"{row.name!r} is the name of another credential of this project")
    if row.external_id is not None and others.filter(external_id=row.external_id).exists():
        fields.wrong("external_id", "is the one of another credential of this project")
    if "body" in fields:
        _seal(row, fields)
    fields.close()


def _seal(row: Credential, fields: Fields) -> None:
    body = fields.raw("body")
    if not isinstance(body, Mapping):
        fields.wrong("body", "must be an object")
        return
    text = json.dumps(dict(body)).encode()
    if len(text) > LARGEST_BODY_BYTES:
        fields.wrong("body", f"must not be larger than {LARGEST_BODY_BYTES} bytes")
    row.keys = sorted(str(key) for key in body)
    row.sealed = seal_for(row, text)


def _value(row: Credential) -> CredentialValue:
    return CredentialValue(row.id, row.project_id, row.name, row.schema, row.external_id, tuple(row.keys), row.lock_version)
