"""Saving workflows: checked as a whole, a snapshot for each change, the index of jobs and triggers beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils import timezone

from kivuko.errors import ChangedMeanwhile, Conflict, ObjectMissing
from kivuko.platform.accounts.actors import Actor
from kivuko.platform.audit.trail import note
from kivuko.platform.changes import configuration_change
from kivuko.platform.history.models import Run
from kivuko.platform.limits import limit_changed
from kivuko.platform.projects.models import Project
from kivuko.platform.workflows.document import WorkflowDocument
from kivuko.platform.workflows.fields import Mistakes
from kivuko.platform.workflows.models import JobRow, Snapshot, TriggerRow, Workflow
from kivuko.platform.workflows.references import check_references, check_removed
from kivuko.platform.workflows.snapshots import CurrentSnapshot, current_snapshot, document_text, read_snapshot
from kivuko.platform.workflows.telling import workflow_changed
from kivuko.platform.workflows.validation import check_document
from kivuko.records import Id

__all__ = ["Saved", "delete_workflow", "restore_snapshot", "save_workflow"]


@dataclass(frozen=True)
class Saved:
    """What saving gave. ``changed`` is False when the document was the same as before: then the snapshot is the one that was there."""

    current: CurrentSnapshot
    changed: bool

    @property
    def snapshot_id(self) -> Id:
        """The snapshot that is now the newest."""
        return self.current.snapshot_id


def save_workflow(
    project: Project, document: WorkflowDocument, *, author: Actor, lock_version: int | None = None, new: bool = False
) -> Saved:
    """Stores a workflow, new or changed. ``lock_version`` is the one its author saw; None does not ask.

    ``new``: it must not exist yet. Raises ValidationFailed, Conflict for an id that is taken, ChangedMeanwhile.
    """
    document = replace(document, project_id=project.id)
    mistakes = Mistakes()
    check_document(document, mistakes)
    mistakes.refuse()
    with configuration_change() as change:
        # The row of the project is the lock of its names and paths.
        if not Project.objects.select_for_update().filter(id=project.id, deleted_at__isnull=True).exists():
            raise ObjectMissing()
        before = _before(document, lock_version, new)
        check_references(document, mistakes)
        removed = [job.id for job in before.document.jobs if document.job(job.id) is None] if before else []
        check_removed(project.id, document.id, removed, mistakes)
        mistakes.refuse()
        if before and before.document.as_json() == document.as_json():
            change.made = False
            return Saved(before, changed=False)
        _store(document, before, author)
        workflow_changed(document.project_id, document.id)
        return Saved(current_snapshot(document.id), changed=True)


def restore_snapshot(workflow_id: Id, snapshot_id: Id, *, author: Actor, lock_version: int | None = None) -> Saved:
    """Makes an old version the newest again, as a version of its own. Raises ObjectMissing, and what ``save_workflow`` raises."""
    found = Snapshot.objects.filter(id=snapshot_id, workflow_id=workflow_id).select_related("workflow__project").first()
    if found is None or found.workflow.deleted_at is not None:
        raise ObjectMissing(f"workflow {workflow_id} has no snapshot {snapshot_id}")
    return save_workflow(found.workflow.project, read_snapshot(snapshot_id), author=author, lock_version=lock_version)


def delete_workflow(workflow_id: Id, *, author: Actor) -> None:
    """Takes a workflow away: nothing starts it any more, its history stays. Raises ObjectMissing; Conflict while others wait for it."""
    with configuration_change():
        found = Workflow.objects.select_for_update().filter(id=workflow_id, deleted_at__isnull=True).first()
        if found is None:
            raise ObjectMissing()
        mistakes = Mistakes()
        jobs = JobRow.objects.filter(workflow=found, archived_at__isnull=True).values_list("id", flat=True)
        check_removed(found.project_id, found.id, jobs, mistakes, whole=True)
        if mistakes.found:
            raise Conflict(f"workflow {found.name!r} cannot be deleted: {mistakes.found[''][0]}")
        now = timezone.now()
        Workflow.objects.filter(id=workflow_id).update(deleted_at=now, enabled=False, updated_at=now)
        JobRow.objects.filter(workflow_id=workflow_id, archived_at__isnull=True).update(archived_at=now)
        TriggerRow.objects.filter(workflow_id=workflow_id, archived_at__isnull=True).update(archived_at=now)
        workflow_changed(found.project_id, found.id)
        note(author, "deleted", "workflow", workflow_id, project_id=found.project_id, before={"name": found.name})


def _before(document: WorkflowDocument, lock_version: int | None, new: bool) -> CurrentSnapshot | None:
    """The workflow as it was, locked; None when it is new."""
    found = Workflow.objects.select_for_update().filter(id=document.id).first()
    if found is None:
        return None
    if new or found.project_id != document.project_id or found.deleted_at is not None:
        raise Conflict(f"the id {document.id} is taken")
    before = current_snapshot(document.id)
    if lock_version is not None and lock_version != before.lock_version:
        raise ChangedMeanwhile(current=before.as_json())
    return before


def _store(document: WorkflowDocument, before: CurrentSnapshot | None, author: Actor) -> None:
    version = before.lock_version + 1 if before else 1
    values = {
        "name": document.name,
        "enabled": document.enabled,
        "concurrency": document.concurrency,
        "when_lost": document.when_lost,
        "lock_version": version,
    }
    if before is None:
        Workflow.objects.create(id=document.id, project_id=document.project_id, **values)
    snapshot = Snapshot.objects.create(
        workflow_id=document.id, lock_version=version, document=document_text(document), author_id=author.user_id
    )
    Workflow.objects.filter(id=document.id).update(**values, snapshot_id=snapshot.id, updated_at=timezone.now())
    _index(document)
    if before is None or before.document.concurrency != document.concurrency:
        limit_changed(document.id, document.concurrency)
    event = "created" if before is None else "updated"
    was = {"enabled": before.document.enabled, "name": before.document.name, "snapshot_id": str(before.snapshot_id)} if before else None
    after = {"enabled": document.enabled, "name": document.name, "snapshot_id": str(snapshot.id)}
    note(author, event, "workflow", document.id, project_id=document.project_id, before=was, after=after)


def _index(document: WorkflowDocument) -> None:
    """Makes the rows of jobs and triggers what the document says."""
    jobs = [
        JobRow(
            id=job.id,
            workflow_id=document.id,
            project_id=document.project_id,
            name=job.name,
            language=job.language,
            adaptor=job.adaptor,
            credential_id=job.credential_id,
            enabled=job.enabled,
            place=at,
        )
        for at, job in enumerate(document.jobs)
    ]
    triggers = [
        TriggerRow(
            id=trigger.id,
            workflow_id=document.id,
            project_id=document.project_id,
            kind=trigger.kind,
            enabled=trigger.enabled,
            inbox_id=trigger.inbox_id,
            custom_path=trigger.custom_path,
            source_job_id=trigger.source_job_id,
            source_workflow_id=trigger.source_workflow_id,
            place=at,
        )
        for at, trigger in enumerate(document.triggers)
    ]
    _retire(document, [job.id for job in jobs])
    changed = ["name", "language", "adaptor", "credential_id", "enabled", "place", "archived_at"]
    JobRow.objects.bulk_create(jobs, update_conflicts=True, unique_fields=["id"], update_fields=changed)
    # Their paths may have been exchanged: a row at a time would collide with one that is still to be changed.
    TriggerRow.objects.filter(workflow_id=document.id).delete()
    TriggerRow.objects.bulk_create(triggers)


def _retire(document: WorkflowDocument, kept: Sequence[Id]) -> None:
    """A job that was taken out is archived when it has history, else it goes."""
    gone = JobRow.objects.filter(workflow_id=document.id, archived_at__isnull=True).exclude(id__in=kept)
    for job in list(gone):
        if Run.objects.filter(job_id=job.id).exists():
            JobRow.objects.filter(id=job.id).update(archived_at=timezone.now())
        else:
            job.delete()
