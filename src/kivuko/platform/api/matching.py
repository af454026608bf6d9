"""Which jobs a message concerns: now, whether they are on or off; and what a message posted by hand starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kivuko.errors import BodyWiped, InvalidJson
from kivuko.platform.api.payloads import body_bytes
from kivuko.platform.api.shapes.messages import Match
from kivuko.platform.entrances import message_targets
from kivuko.platform.workflows.document import TriggerDocument, WorkflowDocument
from kivuko.platform.workflows.models import Snapshot, TriggerRow
from kivuko.platform.workflows.snapshots import snapshot_of_row
from kivuko.records import Id, Message, MessageVersion, Start, new_start
from kivuko.workflow.filters import read_filter, read_json

__all__ = ["matches_of", "starts_of"]


@dataclass(frozen=True)
class _Candidate:
    document: WorkflowDocument
    trigger: TriggerDocument


def matches_of(message: Message, newest: MessageVersion | None) -> list[Match]:
    """All jobs whose filters match the newest version; none once that was wiped: a purged body never matches."""
    if newest is None:
        return []
    try:
        body = read_json(body_bytes(newest))
    except (BodyWiped, InvalidJson):
        return []
    return [match for candidate in _candidates(message) for match in _matches(candidate, body)]


def starts_of(inbox_id: Id, body: object) -> list[Start]:
    """What a message with this body starts when it comes to an inbox now."""
    return [
        new_start(
            target.workflow_id,
            target.snapshot_id,
            target.trigger_id,
            target.cause,
            target.jobs,
            trigger_id=target.trigger_id,
            queue=target.queue,
            needs=target.needs,
        )
        for target in message_targets(inbox_id)
        if target.filter.matches(body)
    ]


def _candidates(message: Message) -> Iterator[_Candidate]:
    """The triggers that look at where the message came to: two statements."""
    there = TriggerRow.objects.filter(archived_at__isnull=True, workflow__deleted_at__isnull=True, project_id=message.project_id)
    place = there.filter(inbox_id=message.inbox_id, kind="message") if message.inbox_id else there.filter(id=message.trigger_id)
    rows = list(place.select_related("workflow").order_by("workflow__inserted_at", "workflow_id", "place"))
    snapshots = {row.id: row for row in Snapshot.objects.filter(id__in={row.workflow.snapshot_id for row in rows})}
    for row in rows:
        snapshot = snapshots.get(row.workflow.snapshot_id) if row.workflow.snapshot_id else None
        document = snapshot_of_row(snapshot) if snapshot else None
        trigger = document.trigger(row.id) if document else None
        if document and trigger:
            yield _Candidate(document, trigger)


def _matches(candidate: _Candidate, body: object) -> Iterator[Match]:
    document, trigger = candidate.document, candidate.trigger
    if trigger.kind == "message" and not read_filter(trigger.inclusion, trigger.exclusion).matches(body):
        return
    on = {edge.target_job_id for edge in document.open_edges_from(trigger.id)}
    for edge in document.edges_from(trigger.id):
        job = document.job(edge.target_job_id)
        if job is not None:
            yield Match(
                job_id=job.id,
                job_name=job.name,
                workflow_id=document.id,
                workflow_name=document.name,
                trigger_id=trigger.id,
                enabled=document.enabled and trigger.enabled and job.id in on,
            )
