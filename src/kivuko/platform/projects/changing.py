"""Creating, changing and deleting projects. A new one has an inbox, and its author as owner."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from kivuko.errors import ChangedMeanwhile, Conflict, InputError, ObjectMissing
from kivuko.platform.accounts.actors import Actor
from kivuko.platform.accounts.models import Membership
from kivuko.platform.audit.trail import note
from kivuko.platform.changes import configuration_change
from kivuko.platform.inbox.changing import create_inbox
from kivuko.platform.limits import limit_changed
from kivuko.platform.projects.models import Project
from kivuko.platform.projects.settings import ProjectSettings, settings_of
from kivuko.platform.workflows.fields import Fields, Mistakes
from kivuko.platform.workflows.models import Workflow
from kivuko.platform.workflows.snapshots import read_snapshot
from kivuko.records import Id, new_id
from kivuko.workflow.schedules import read_cron

__all__ = ["RETENTION_DAYS", "NewProject", "create_project", "delete_project", "update_project"]

RETENTION_DAYS = (7, 14, 30, 90, 180, 365)
_NAME = re.compile(r"[a-z\d-]+\Z")
_DAYS = ("history_retention_days", "message_retention_days", "dataclip_retention_days")


@dataclass(frozen=True)
class NewProject:
    """A project that was made, with its inbox."""

    settings: ProjectSettings
    inbox_id: Id


def create_project(values: Mapping[str, object], *, actor: Actor, owner_id: Id | None = None) -> NewProject:
    """Makes a project of JSON values (``name`` and what else ``update_project`` takes; ``id`` may be chosen).

    Its owner is ``owner_id``, else the actor. Raises ValidationFailed, Conflict for an id or name that is taken.
    """
    mistakes = Mistakes()
    fields = Fields(values, "", mistakes)
    identity = fields.id("id") or new_id()
    row = Project(id=identity, name=fields.text("name", required=True, at_most=100) or "")
    _change(row, fields)
    mistakes.refuse()
    with configuration_change():
        taken = Project.objects.filter(Q(id=identity) | Q(name=row.name, deleted_at__isnull=True)).first()
        if taken is not None:
            raise Conflict(f"the {'id' if taken.id == identity else 'name'} of the project is taken", fix="Choose another one.")
        row.save(force_insert=True)
        owner = owner_id or actor.user_id
        if owner is not None:
            Membership.objects.create(project=row, user_id=owner, role="owner")
        note(actor, "created", "project", row.id, project_id=row.id, after=settings_of(row).as_json())
        inbox = create_inbox(row.id, {"name": "inbox"}, actor=actor)
        limit_changed(row.id, row.concurrency)
    return NewProject(settings_of(row), inbox.id)


def update_project(project_id: Id, values: Mapping[str, object], *, actor: Actor, lock_version: int | None = None) -> ProjectSettings:
    """Changes what ``values`` name (JSON merge patch). Raises ValidationFailed, ObjectMissing, ChangedMeanwhile, Conflict."""
    with configuration_change() as change:
        row = Project.objects.select_for_update().filter(id=project_id, deleted_at__isnull=True).first()
        if row is None:
            raise ObjectMissing()
        before = settings_of(row)
        if lock_version is not None and lock_version != row.lock_version:
            raise ChangedMeanwhile(current=before.as_json())
        mistakes = Mistakes()
        fields = Fields(values, "", mistakes)
        fields.skip("id", "lock_version", "inserted_at", "updated_at")
        row.name = fields.text("name", row.name, required="name" in fields, at_most=100) or ""
        _change(row, fields)
        if settings_of(row).erases and not before.erases:
            _check_cursors(row, fields)
        mistakes.refuse()
        if settings_of(row) == before:
            change.made = False
            return before
        if Project.objects.filter(name=row.name, deleted_at__isnull=True).exclude(id=row.id).exists():
            raise Conflict("the name of the project is taken", fix="Choose another one.")
        row.lock_version += 1
        row.save()
        note(actor, "updated", "project", row.id, project_id=row.id, before=before.as_json(), after=settings_of(row).as_json())
        if row.concurrency != before.concurrency:
            limit_changed(row.id, row.concurrency)
    return settings_of(row)


def delete_project(project_id: Id, *, actor: Actor) -> None:
    """Takes a project away: its addresses, schedules and tokens are dead at once, its history goes in the background."""
    with configuration_change():
        row = Project.objects.select_for_update().filter(id=project_id, deleted_at__isnull=True).first()
        if row is None:
            raise ObjectMissing()
        Project.objects.filter(id=project_id).update(deleted_at=timezone.now())
        note(actor, "deleted", "project", row.id, project_id=row.id, before=settings_of(row).as_json())


def _change(row: Project, fields: Fields) -> None:
    if not _NAME.match(row.name):
        fields.wrong("name", "may have lower-case letters, digits and - only")
    row.description = (fields.text("description", at_most=240) or "") if "description" in fields else row.description
    row.timezone = _timezone(fields, row.timezone)
    row.concurrency = fields.number("concurrency", 1, 10_000) if "concurrency" in fields else row.concurrency
    row.retention_policy = fields.one_of("retention_policy", ("retain_all", "erase_all"), row.retention_policy)
    row.keep_logs = fields.flag("keep_logs", row.keep_logs)
    for name in _DAYS:
        if name in fields:
            setattr(row, name, _days(fields, name))
    if row.retention_policy == "erase_all" and (row.dataclip_retention_days or row.message_retention_days):
        fields.wrong("retention_policy", "erase_all keeps no payloads: message and dataclip retention must be null")
    for name in ("message_retention_days", "dataclip_retention_days"):
        if row.history_retention_days and (getattr(row, name) or 0) > row.history_retention_days:
            fields.wrong(name, "must not be longer than history_retention_days")
    fields.close()


def _check_cursors(row: Project, fields: Fields) -> None:
    for workflow in Workflow.objects.filter(project=row, deleted_at__isnull=True, snapshot_id__isnull=False):
        if workflow.snapshot_id and any(trigger.cursor_job_id for trigger in read_snapshot(workflow.snapshot_id).triggers):
            fields.wrong("retention_policy", f"erase_all keeps no state, but a schedule of workflow {workflow.name!r} has a cursor")


def _days(fields: Fields, name: str) -> int | None:
    found = fields.number(name, 1, 3650)
    if found is not None and found not in RETENTION_DAYS:
        fields.wrong(name, f"must be one of {', '.join(map(str, RETENTION_DAYS))}, or null for ever")
    return found


def _timezone(fields: Fields, known: str) -> str:
    found = fields.text("timezone", known, at_most=64) or known
    try:
        read_cron("0 0 * * *", found)
    except InputError as error:
        fields.wrong("timezone", error.message)
    return found
