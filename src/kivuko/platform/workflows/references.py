"""Whether what a workflow refers to is there, in its own project: inboxes, credentials, authentication methods, sources, free paths."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from kivuko.platform.credentials.models import Credential
from kivuko.platform.inbox.models import AuthMethod, Inbox
from kivuko.platform.projects.models import Project
from kivuko.platform.workflows.document import WorkflowDocument
from kivuko.platform.workflows.fields import Mistakes
from kivuko.platform.workflows.models import JobRow, TriggerRow, Workflow
from kivuko.records import Id

__all__ = ["check_references", "check_removed"]


def check_references(document: WorkflowDocument, mistakes: Mistakes) -> None:
    """Notes what is missing, taken, or another project's."""
    project = document.project_id
    inboxes = _known(Inbox.objects.filter(project_id=project), (trigger.inbox_id for trigger in document.triggers))
    methods = _known(
        AuthMethod.objects.filter(project_id=project), (each for trigger in document.triggers for each in trigger.auth_method_ids)
    )
    credentials = _known(Credential.objects.filter(project_id=project), (job.credential_id for job in document.jobs))
    sources = {job.id for job in document.jobs} | _known(
        JobRow.objects.filter(project_id=project, archived_at__isnull=True), (trigger.source_job_id for trigger in document.triggers)
    )
    workflows = {document.id} | _known(
        Workflow.objects.filter(project_id=project, deleted_at__isnull=True), (trigger.source_workflow_id for trigger in document.triggers)
    )
    for at, trigger in enumerate(document.triggers):
        path = f"triggers.{at}"
        for name, found, known in (
            ("inbox_id", trigger.inbox_id, inboxes),
            ("source_job_id", trigger.source_job_id, sources),
            ("source_workflow_id", trigger.source_workflow_id, workflows),
        ):
            if found is not None and found not in known:
                mistakes.add(f"{path}.{name}", "names nothing in this project")
        if set(trigger.auth_method_ids) - methods:
            mistakes.add(f"{path}.auth_method_ids", "names an authentication method that is not in this project")
    for at, job in enumerate(document.jobs):
        if job.credential_id is not None and job.credential_id not in credentials:
            mistakes.add(f"jobs.{at}.credential_id", "names no credential of this project")
    _check_cursors(document, mistakes)
    _check_taken(document, mistakes)


def _check_cursors(document: WorkflowDocument, mistakes: Mistakes) -> None:
    if not Project.objects.filter(id=document.project_id, retention_policy="erase_all").exists():
        return
    for at, trigger in enumerate(document.triggers):
        if trigger.cursor_job_id is not None:
            mistakes.add(f"triggers.{at}.cursor_job_id", "cannot be used: this project keeps no state, so its schedules begin with {}")


def check_removed(project_id: Id, workflow_id: Id, jobs: Iterable[Id], mistakes: Mistakes, *, whole: bool = False) -> None:
    """Notes triggers of other workflows that wait for jobs that go away, or for the whole workflow."""
    gone = Q(source_job_id__in=[bytes(job) for job in jobs])
    if whole:
        gone |= Q(source_workflow_id=workflow_id)
    waiting = TriggerRow.objects.filter(gone, project_id=project_id, archived_at__isnull=True).exclude(workflow_id=workflow_id)
    for trigger in waiting.select_related("workflow"):
        mistakes.add(
            "" if whole else "jobs", f"a {trigger.kind} trigger of workflow {trigger.workflow.name!r} waits for it: remove that first"
        )


def _check_taken(document: WorkflowDocument, mistakes: Mistakes) -> None:
    same_name = Workflow.objects.filter(project_id=document.project_id, name=document.name, deleted_at__isnull=True)
    if same_name.exclude(id=document.id).exists():
        mistakes.add("name", f"{document.name!r} is the name of another workflow of this project")
    paths = [trigger.custom_path for trigger in document.triggers if trigger.custom_path is not None]
    others = TriggerRow.objects.filter(project_id=document.project_id, custom_path__in=paths, archived_at__isnull=True)
    taken = set(others.exclude(workflow_id=document.id).values_list("custom_path", flat=True))
    for at, trigger in enumerate(document.triggers):
        if trigger.custom_path is not None and (trigger.custom_path in taken or paths.count(trigger.custom_path) > 1):
            mistakes.add(f"triggers.{at}.custom_path", f"{trigger.custom_path!r} leads to another trigger of this project")
    for name, model in (("jobs", JobRow), ("triggers", TriggerRow)):
        ids = [part.id for part in getattr(document, name)]
        foreign = set(model.objects.filter(id__in=ids).exclude(workflow_id=document.id).values_list("id", flat=True))
        for at, identity in enumerate(ids):
            if identity in foreign:
                mistakes.add(f"{name}.{at}.id", "is taken: choose another id, or none")


def _known(rows: object, ids: Iterable[Id | None]) -> set[Id]:
    asked = {each for each in ids if each is not None}
    return set(rows.filter(id__in=asked).values_list("id", flat=True)) if asked else set()  # type: ignore[attr-defined]
