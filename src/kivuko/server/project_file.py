"""``kivuko serve project.yaml``: the project of a file, made in the platform as the file says, without clicks (requirements §4.3).

Each job is a workflow with its one trigger. What the file no longer has is switched off, its history stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from kivuko.platform.accounts.actors import SYSTEM
from kivuko.platform.accounts.models import User
from kivuko.platform.credentials.bodies import create_credential, credential_body, credentials_of, delete_credential, update_credential
from kivuko.platform.inbox.changing import inbox_url, inboxes_of, update_inbox
from kivuko.platform.projects.changing import create_project
from kivuko.platform.projects.models import Project
from kivuko.platform.workflows.models import Workflow
from kivuko.platform.workflows.reading import read_document
from kivuko.platform.workflows.saving import save_workflow
from kivuko.platform.workflows.snapshots import current_snapshot
from kivuko.projects.microservice import MicroserviceJob, MicroserviceProject, MicroserviceTrigger
from kivuko.records import Id
from kivuko.server.project_ids import named_id

__all__ = ["ServedProject", "apply_project"]

_PROJECT_NAME = "project"
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_\- ]")


@dataclass(frozen=True)
class ServedProject:
    """The project and its inbox. ``secret`` is the uuid of the inbox's address."""

    project_id: Id
    secret: str = field(repr=False)


def apply_project(found: MicroserviceProject, *, sync: bool) -> ServedProject:
    """Makes the platform's project what the file says. ``sync``: its inbox answers when the jobs have ended.

    Raises ValidationFailed for what cannot be saved.
    """
    project = Project.objects.filter(id=named_id(_PROJECT_NAME)).first() or _new_project()
    (inbox,) = inboxes_of(project.id)
    reply = "after_completion" if sync else "before_start"
    if inbox.reply != reply:
        update_inbox(inbox.id, {"reply": reply}, actor=SYSTEM)
    credentials = _apply_credentials(project.id, found.credentials)
    _apply_workflows(project, found.jobs, credentials, inbox.id)
    _drop_credentials(project.id, credentials.values())
    return ServedProject(project.id, inbox_url(inbox.id).rpartition("/")[2])


def _new_project() -> Project:
    owner = User.objects.order_by("id").first()
    made = create_project({"id": str(named_id(_PROJECT_NAME)), "name": _PROJECT_NAME}, actor=SYSTEM, owner_id=owner.id if owner else None)
    return Project.objects.get(id=made.settings.id)


def _apply_credentials(project_id: Id, bodies: Mapping[str, Mapping[str, object]]) -> dict[str, Id]:
    """The ids of the credentials by their names in the file."""
    there = {each.id for each in credentials_of(project_id)}
    ids = {name: named_id("credential", name) for name in bodies}
    for name, body in bodies.items():
        if ids[name] in there and credential_body(ids[name], project_id) == body:
            continue
        if ids[name] in there:
            update_credential(ids[name], {"body": dict(body)}, actor=SYSTEM)
        else:
            create_credential(project_id, {"id": str(ids[name]), "name": _safe(name), "schema": "raw", "body": dict(body)}, actor=SYSTEM)
    return ids


def _drop_credentials(project_id: Id, kept: Iterable[Id]) -> None:
    for each in credentials_of(project_id):
        if each.id not in set(kept):
            delete_credential(each.id, actor=SYSTEM)


def _apply_workflows(project: Project, jobs: Iterable[MicroserviceJob], credentials: Mapping[str, Id], inbox_id: Id) -> None:
    jobs = tuple(jobs)
    saved: set[str] = set()
    waiting = list(jobs)
    while waiting:
        ready = [job for job in waiting if job.trigger.source is None or job.trigger.source in saved]
        # Jobs that wait for each other in a circle: one of them is saved first as started by hand, and again below.
        for job in ready or waiting[:1]:
            by_hand = None if ready else MicroserviceTrigger(job.trigger.name, "manual")
            _save(project, job, by_hand or job.trigger, credentials, inbox_id)
            saved.add(job.name)
        waiting = [job for job in waiting if job.name not in saved]
    for job in jobs:
        _save(project, job, job.trigger, credentials, inbox_id)
    kept = [named_id("workflow", job.name) for job in jobs]
    for each in Workflow.objects.filter(project=project, deleted_at__isnull=True):
        if each.id not in kept:
            _retire(project, each.id)


def _retire(project: Project, workflow_id: Id) -> None:
    """Switches off what the file no longer has, and frees what it waited for and used. Its name may come back one day."""
    document = current_snapshot(workflow_id).document
    jobs = tuple(replace(job, credential_id=None) for job in document.jobs)
    save_workflow(project, replace(document, enabled=False, triggers=(), edges=(), jobs=jobs), author=SYSTEM)


def _save(project: Project, job: MicroserviceJob, trigger: MicroserviceTrigger, credentials: Mapping[str, Id], inbox_id: Id) -> None:
    """Saving what is as it was makes no snapshot."""
    document = _document(job, trigger, credentials, inbox_id)
    save_workflow(project, read_document(document, project_id=project.id, workflow_id=named_id("workflow", job.name)), author=SYSTEM)


def _document(job: MicroserviceJob, trigger: MicroserviceTrigger, credentials: Mapping[str, Id], inbox_id: Id) -> dict[str, object]:
    trigger_id, job_id = str(named_id("trigger", job.name)), str(named_id("job", job.name))
    return {
        "name": _safe(job.name),
        "enabled": job.enabled,
        "triggers": [{"id": trigger_id, "name": trigger.name, "enabled": trigger.enabled, **_trigger(trigger, inbox_id)}],
        "jobs": [
            {
                "id": job_id,
                "name": _safe(job.name),
                "adaptor": job.adaptor,
                "expression": job.expression,
                "credential_id": str(credentials[job.credential]) if job.credential else None,
            }
        ],
        "edges": [{"id": str(named_id("edge", job.name)), "source_trigger_id": trigger_id, "target_job_id": job_id, "enabled": True}],
    }


def _trigger(trigger: MicroserviceTrigger, inbox_id: Id) -> dict[str, object]:
    own: dict[str, dict[str, object]] = {
        "message": {"inbox_id": str(inbox_id), "inclusion": trigger.inclusion, "exclusion": trigger.exclusion},
        "cron": {"cron_expression": trigger.cron, "timezone": trigger.timezone},
        "interval": {"every": trigger.every, "anchor": trigger.anchor, "timezone": trigger.timezone},
        "success": {"source_job_id": _source(trigger)},
        "failure": {"source_job_id": _source(trigger)},
        "manual": {},
    }
    return {"kind": trigger.kind, **own[trigger.kind]}


def _source(trigger: MicroserviceTrigger) -> str | None:
    return str(named_id("job", trigger.source)) if trigger.source else None


def _safe(name: str) -> str:
    """The name in the platform's letters."""
    return _NOT_IN_NAMES.sub("-", name)[:100]
