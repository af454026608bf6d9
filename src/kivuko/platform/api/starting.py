"""What people start: a job on a message, a run again, a workflow by hand."""

from __future__ import annotations

from kivuko.errors import Conflict, ValidationFailed
from kivuko.platform.api.context import platform, write
from kivuko.platform.api.wire import IdText, Wire
from kivuko.platform.workflows.document import WorkflowDocument
from kivuko.platform.workflows.models import JobRow
from kivuko.platform.workflows.snapshots import current_snapshot, read_snapshot
from kivuko.platform.workflows.starts import job_start
from kivuko.records import AlreadyStarted, Cause, Dataclip, DataclipKind, Id, Input, Origin, Run, Start, Started, StartWork, new_id

__all__ = ["RunsStarted", "WorkStarted", "saved_input", "start", "start_job", "start_run_again", "version_of"]

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


def start(begins: Start, project_id: Id, given: Input, clip: Dataclip | None = None, *, origin: Origin | None = None) -> Started:
    """Starts work, durably. Raises TooSoon, BodyWiped, ObjectMissing."""
    done = write(StartWork(begins, origin or Origin(project_id), given, saved_input=clip))
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
    return start(begins, project_id, given)


def start_run_again(run: Run, workflow_id: Id, *, as_it_was: bool, version: int | None) -> Started:
    """Runs a job again with the input of a Run; on the workflow as it is now, unless ``as_it_was``.

    The message's newest version is its input unless ``version``, or ``as_it_was``, says which. Raises ObjectMissing, TooSoon, BodyWiped.
    """
    document, snapshot_id = version_of(workflow_id, run.snapshot_id if as_it_was else None)
    begins = job_start(document, snapshot_id, run.job_id, Cause.RERUN, queue=QUEUE, priority=PRIORITY)
    if version is not None and run.message_id is None:
        raise ValidationFailed(errors={"version": ["this run has no message"]})
    wanted = run.message_version if as_it_was and version is None else version
    given = Input(run.message_id, run.message_version if run.input_dataclip_id else wanted, run.input_dataclip_id)
    return start(begins, run.project_id, given)


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
