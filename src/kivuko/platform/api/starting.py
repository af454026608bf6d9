"""What people start: a job on a message, a run again, a workflow by hand."""

from __future__ import annotations

from kivuko.errors import Conflict, ValidationFailed
from kivuko.platform.api.context import platform, write
from kivuko.platform.api.wire import IdText, Wire
from kivuko.platform.workflows.document import WorkflowDocument
from kivuko.platform.workflows.models import JobRow
from kivuko.platform.workflows.snapshots import current_snapshot, read_snapshot
from kivuko.platform.workflows.starts import job_start
from kivuko.records import AlreadyStarted, Cause, Dataclip, DataclipKind, Id, Input, Origin, Started, StartWork, new_id

__all__ = ["RunsStarted", "WorkStarted", "saved_input", "start", "start_job", "version_of"]

PRIORITY = 0
QUEUE = "manual"


class WorkStarted(Wire):
    """What was started."""

    work_order_id: IdText
    attempt_id: IdText
    run_ids: list[IdText]


class RunsStarted(Wire):
    """What was started, and the run."""

    work_order_id: IdText
    attempt_id: IdText
    run_id: IdText


def start(intent: StartWork) -> Started:
    """Starts work, durably. Raises TooSoon, BodyWiped, RecordMissing."""
    done = write(intent)
    if isinstance(done, AlreadyStarted):
        raise Conflict("this was started before")
    return done


def start_job(project_id: Id, job_id: Id, given: Input) -> Started:
    """Starts a job of a project, as its workflow is now, whether it is on or off."""
    row = JobRow.objects.filter(id=job_id, project_id=project_id, archived_at__isnull=True).first()
    if row is None:
        raise ValidationFailed(errors={"job_id": ["names no job of this project"]})
    current = current_snapshot(row.workflow_id)
    begins = job_start(current.document, current.snapshot_id, job_id, Cause.MANUAL, queue=QUEUE, priority=PRIORITY)
    return start(StartWork(begins, Origin(project_id), given))


def version_of(workflow_id: Id, snapshot_id: Id | None) -> tuple[WorkflowDocument, Id]:
    """A workflow as a snapshot has it, or as it is now. Raises ObjectMissing for one that was deleted."""
    current = current_snapshot(workflow_id)
    return (read_snapshot(snapshot_id), snapshot_id) if snapshot_id else (current.document, current.snapshot_id)


def saved_input(project_id: Id, body: bytes) -> Dataclip:
    """A dataclip that is stored with what it starts."""
    clip_id = new_id()
    stored = platform().records.payloads.store(clip_id, body)
    return Dataclip(
        id=clip_id,
        project_id=project_id,
        kind=DataclipKind.SAVED_INPUT,
        attempt_id=None,
        wire_id=None,
        encoding=stored.encoding,
        body=stored.body,
        object_key=stored.object_key,
        size_bytes=stored.size_bytes,
    )
