"""Creating, changing and rotating inboxes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from django.utils import timezone

from kivuko.errors import ChangedMeanwhile, Conflict, ObjectMissing
from kivuko.platform.accounts.actors import Actor
from kivuko.platform.audit.trail import note
from kivuko.platform.changes import configuration_change
from kivuko.platform.inbox.models import AuthMethod, Inbox, InboxSecret
from kivuko.platform.sealing import open_from, seal_for
from kivuko.platform.settings import current
from kivuko.platform.workflows.fields import Fields, Mistakes
from kivuko.platform.workflows.models import TriggerRow
from kivuko.records import Id, new_id

__all__ = ["InboxValue", "create_inbox", "delete_inbox", "inbox_url", "inbox_value", "inboxes_of", "rotate_inbox", "update_inbox"]

LARGEST_BODY_BYTES = 1024 * 1024 * 1024
_MOST_OVERLAP_S = 90 * 24 * 3600
_MOST_WINDOW_S = 90 * 24 * 3600


@dataclass(frozen=True)
class InboxValue:
    """An inbox. ``idempotency``: ``{"header", "path", "window_s"}`` or None."""

    id: Id
    project_id: Id
    name: str
    auth_method_ids: tuple[Id, ...]
    idempotency: Mapping[str, object] | None
    body_limit_bytes: int
    reply: str
    lock_version: int

    def as_json(self) -> dict[str, object]:
        """JSON values, without the address: that is a secret."""
        return {
            "id": str(self.id),
            "name": self.name,
            "auth_method_ids": [str(each) for each in self.auth_method_ids],
            "idempotency": self.idempotency,
            "body_limit_bytes": self.body_limit_bytes,
            "reply": self.reply,
            "lock_version": self.lock_version,
        }


def inbox_value(inbox_id: Id) -> InboxValue:
    """One inbox. Raises ObjectMissing."""
    found = Inbox.objects.filter(id=inbox_id, project__deleted_at__isnull=True).first()
    if found is None:
        raise ObjectMissing()
    return _value(found)


def inboxes_of(project_id: Id) -> list[InboxValue]:
    """The inboxes of a project, oldest first."""
    return [_value(row) for row in Inbox.objects.filter(project_id=project_id).order_by("inserted_at", "id")]


def inbox_url(inbox_id: Id) -> str:
    """The address that senders post to; whoever has it may post. Raises ObjectMissing."""
    found = InboxSecret.objects.filter(inbox_id=inbox_id, ends_at__isnull=True).first()
    if found is None:
        raise ObjectMissing()
    secret = open_from(found, found.sealed).decode()
    return f"{current().public_url}/inbox/{secret}"


def create_inbox(project_id: Id, values: Mapping[str, object], *, actor: Actor, secret: str | None = None) -> InboxValue:
    """Makes an inbox; ``secret`` is the uuid of its address when somebody brings one along. Raises ValidationFailed, Conflict."""
    mistakes = Mistakes()
    fields = Fields(values, "", mistakes)
    row = Inbox(id=fields.id("id") or new_id(), project_id=project_id)
    with configuration_change():
        _change(row, fields)
        mistakes.refuse()
        if Inbox.objects.filter(id=row.id).exists():
            raise Conflict("the id of the inbox is taken", fix="Choose another one.")
        row.save(force_insert=True)
        _new_secret(row.id, secret)
        note(actor, "created", "inbox", row.id, project_id=project_id, after=_value(row).as_json())
    return _value(row)


def update_inbox(inbox_id: Id, values: Mapping[str, object], *, actor: Actor, lock_version: int | None = None) -> InboxValue:
    """Changes what ``values`` name. Raises ValidationFailed, ObjectMissing, ChangedMeanwhile."""
    with configuration_change():
        row = _locked(inbox_id)
        before = _value(row).as_json()
        if lock_version is not None and lock_version != row.lock_version:
            raise ChangedMeanwhile(current=before)
        mistakes = Mistakes()
        fields = Fields(values, "", mistakes)
        fields.skip("id", "url", "lock_version")
        _change(row, fields)
        mistakes.refuse()
        row.lock_version += 1
        row.save()
        note(actor, "updated", "inbox", row.id, project_id=row.project_id, before=before, after=_value(row).as_json())
    return _value(row)


def rotate_inbox(inbox_id: Id, overlap_s: int = 0, *, actor: Actor) -> str:
    """Gives an inbox a new secret; its address. The old ones go on to work for the overlap, or as long as they would have."""
    mistakes = Mistakes()
    overlap = Fields({"overlap_s": overlap_s}, "", mistakes).number("overlap_s", 0, _MOST_OVERLAP_S) or 0
    mistakes.refuse()
    with configuration_change():
        row = _locked(inbox_id)
        now = timezone.now()
        InboxSecret.objects.filter(inbox=row, ends_at__lte=now).delete()
        InboxSecret.objects.filter(inbox=row, ends_at__isnull=True).update(ends_at=now + timedelta(seconds=overlap))
        _new_secret(row.id, None)
        note(actor, "rotated", "inbox", row.id, project_id=row.project_id, after={"overlap_s": overlap})
    return inbox_url(inbox_id)


def delete_inbox(inbox_id: Id, *, actor: Actor) -> None:
    """Takes an inbox away; its messages stay. Raises ObjectMissing; Conflict while triggers look at it."""
    with configuration_change():
        row = _locked(inbox_id)
        waiting = TriggerRow.objects.filter(inbox_id=row.id, archived_at__isnull=True).select_related("workflow").first()
        if waiting is not None:
            raise Conflict(f"workflow {waiting.workflow.name!r} has a trigger on this inbox", fix="Remove the trigger first.")
        before = _value(row).as_json()
        row.delete()
        note(actor, "deleted", "inbox", inbox_id, project_id=row.project_id, before=before)


def _locked(inbox_id: Id) -> Inbox:
    found = Inbox.objects.select_for_update().filter(id=inbox_id, project__deleted_at__isnull=True).first()
    if found is None:
        raise ObjectMissing()
    return found


def _new_secret(inbox_id: Id, secret: str | None) -> None:
    text = secret or str(uuid.uuid4())
    row = InboxSecret(id=new_id(), inbox_id=inbox_id, digest=sha256(text.encode()).digest())
    if InboxSecret.objects.filter(digest=row.digest).exists():
        raise Conflict("the address of the inbox is taken")
    row.sealed = seal_for(row, text.encode())
    row.save(force_insert=True)


def _change(row: Inbox, fields: Fields) -> None:
    row.name = (fields.text("name", required=True, at_most=100) or row.name) if "name" in fields or not row.name else row.name
    if Inbox.objects.filter(project_id=row.project_id, name=row.name).exclude(id=row.id).exists():
        fields.wrong("name", f"{row.name!r} is the name of another inbox of this project")
    if "auth_method_ids" in fields:
        ids = fields.ids("auth_method_ids")
        if AuthMethod.objects.filter(project_id=row.project_id, id__in=ids).count() != len(ids):
            fields.wrong("auth_method_ids", "names an authentication method that is not in this project")
        row.auth_method_ids = [str(each) for each in ids]
    if "idempotency" in fields:
        row.idempotency = _idempotency(fields)
    row.body_limit_bytes = fields.number("body_limit_bytes", 1, LARGEST_BODY_BYTES) or row.body_limit_bytes
    row.reply = fields.one_of("reply", ("before_start", "after_completion"), row.reply)
    fields.close()


def _idempotency(fields: Fields) -> dict[str, object] | None:
    written = fields.raw("idempotency")
    if written is None:
        return None
    part = Fields(written, "idempotency", fields.mistakes)
    header, path = part.text("header", at_most=100), part.text("path")
    window_s = part.number("window_s", 1, _MOST_WINDOW_S) or 24 * 3600
    part.close()
    if header is not None and not (header.isascii() and header.replace("-", "").replace("_", "").isalnum()):
        part.wrong("header", "is no name of a header")
    return {"header": header, "path": path, "window_s": window_s} if header or path else None


def _value(row: Inbox) -> InboxValue:
    ids = tuple(Id.parse(each) for each in row.auth_method_ids)
    return InboxValue(row.id, row.project_id, row.name, ids, row.idempotency, row.body_limit_bytes, row.reply, row.lock_version)
