"""What running something again means: the intent that starts it (R-066, platform §2.3)."""

from __future__ import annotations

from kivuko.errors import BodyWiped, InvalidJson, ObjectMissing
from kivuko.platform.entrances import message_targets
from kivuko.platform.history.models import Attempt, Message, Run, WorkOrder
from kivuko.platform.workflows.models import JobRow, TriggerRow
from kivuko.platform.workflows.snapshots import current_snapshot, read_snapshot
from kivuko.platform.workflows.starts import job_start, jobs_behind, trigger_start
from kivuko.records import Cause, Id, Input, Origin, Records, StartWork, read_message_body
from kivuko.workflow.filters import read_json

__all__ = ["matches_of_message", "rerun_of_run", "run_of_message"]

QUEUE = "manual"
IMMEDIATE = 0


def rerun_of_run(
    run_id: Id, *, job_id: Id | None = None, as_it_was: bool = False, version: int | None = None, priority: int = 1
) -> StartWork:
    """Starts the job of a Run again (or ``job_id``) with the Run's input: on the workflow and the message as they are now.

    ``as_it_was``: in the versions that the Run had. Raises ObjectMissing for a Run, workflow or job that is not there any more.
    """
    run = Run.objects.filter(id=run_id).first()
    attempt = Attempt.objects.filter(id=run.attempt_id).first() if run else None
    order = WorkOrder.objects.filter(id=attempt.work_order_id).first() if attempt else None
    if run is None or attempt is None or order is None:
        raise ObjectMissing(f"run {run_id} does not exist")
    current = current_snapshot(attempt.workflow_id)
    snapshot_id = run.snapshot_id if as_it_was else current.snapshot_id
    document = read_snapshot(snapshot_id) if as_it_was else current.document
    # What a trigger started because of another Run is still because of it: its state is put together from that one (requirements §3.4).
    chained = order.parent_run_id is not None and run.parent_run_id == order.parent_run_id
    start = job_start(
        document,
        snapshot_id,
        job_id or run.job_id,
        Cause.RERUN,
        queue=QUEUE,
        priority=priority,
        trigger_id=order.trigger_id if chained else None,
    )
    origin = Origin(run.project_id, order.parent_run_id, order.depth) if chained else Origin(run.project_id)
    keeps_version = as_it_was or run.input_dataclip_id is not None
    given = Input(run.message_id, version or (run.message_version if keeps_version else None), run.input_dataclip_id)
    return StartWork(start, origin, given)


def run_of_message(message_id: Id, job_id: Id, *, version: int | None = None, cause: Cause = Cause.MANUAL, priority: int = 1) -> StartWork:
    """Starts a job of the message's project, on or off, on the message's newest version, or this one. Raises ObjectMissing."""
    message = Message.objects.filter(id=message_id).first()
    if message is None:
        raise ObjectMissing(f"message {message_id} does not exist")
    job = JobRow.objects.filter(id=job_id, project_id=message.project_id, archived_at__isnull=True).first()
    if job is None:
        raise ObjectMissing(f"job {job_id} does not exist")
    current = current_snapshot(job.workflow_id)
    start = job_start(current.document, current.snapshot_id, job_id, cause, queue=QUEUE, priority=priority)
    return StartWork(start, Origin(message.project_id), Input(message_id, version))


def matches_of_message(records: Records, message_id: Id) -> list[StartWork]:
    """What a message would start if it came now, with its newest version. Raises ObjectMissing, BodyWiped, RecordsUnavailable."""
    message = Message.objects.filter(id=message_id).first()
    if message is None:
        raise ObjectMissing(f"message {message_id} does not exist")
    if message.inbox_id is None:
        return _webhooks(message)
    with records.reading() as connection:
        _, body = read_message_body(connection, records.payloads, message_id, message.newest_version)
    try:
        value = read_json(body)
    except InvalidJson as error:
        raise BodyWiped(f"message {message_id} cannot be read") from error
    origin, given = Origin(message.project_id), Input(message_id, message.newest_version)
    return [
        StartWork(
            trigger_start(
                read_snapshot(target.snapshot_id), target.snapshot_id, target.trigger_id, Cause.RERUN, queue=QUEUE, needs=target.needs
            ),
            origin,
            given,
        )
        for target in message_targets(message.inbox_id)
        if target.filter.matches(value)
    ]


def _webhooks(message: Message) -> list[StartWork]:
    """A message to a webhook concerns that alone."""
    row = TriggerRow.objects.filter(
        id=message.trigger_id, enabled=True, archived_at__isnull=True, workflow__enabled=True, workflow__deleted_at__isnull=True
    ).first()
    if row is None:
        return []
    current = current_snapshot(row.workflow_id)
    if not jobs_behind(current.document, row.id):
        return []
    start = trigger_start(current.document, current.snapshot_id, row.id, Cause.RERUN, queue=QUEUE)
    return [StartWork(start, Origin(message.project_id), Input(message.id, message.newest_version))]
