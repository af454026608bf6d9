"""When schedules fire, and which messages a filter would match: previews for people who write triggers."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import ConfigDict, Field

from kivuko.errors import BodyWiped, InputError, InvalidJson, ValidationFailed
from kivuko.platform.api.access import found, require
from kivuko.platform.api.context import platform
from kivuko.platform.api.pages import Page
from kivuko.platform.api.payloads import body_bytes
from kivuko.platform.api.schedules import Firing, next_firings, schedule_written
from kivuko.platform.api.shapes.messages import MessageItem, message_items
from kivuko.platform.api.wire import IdText, Wire
from kivuko.platform.inbox.models import Inbox
from kivuko.platform.schedules.firings import schedule_of
from kivuko.platform.workflows.document import SCHEDULE_KINDS
from kivuko.platform.workflows.models import TriggerRow
from kivuko.platform.workflows.snapshots import current_snapshot
from kivuko.records import Message, MessageVersion
from kivuko.records.listing import Slice
from kivuko.records.listing_messages import MessageQuery, list_messages, newest_bodies
from kivuko.workflow.filters import MessageFilter, read_filter, read_json

__all__ = ["router"]

router = Router(tags=["schedules and filters"])

MOST_LOOKED_AT = 1000
_BATCH = 100


class Count(Wire):
    """How many firings."""

    count: Annotated[int, Field(ge=1, le=100)] = 5


class ScheduleWritten(Wire):
    """A schedule as somebody is about to write it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"cron_expression": "0 23 * * FRI", "timezone": "Africa/Freetown"}]})

    cron_expression: str | None = None
    every: Annotated[str | None, Field(examples=["2 weeks"])] = None
    anchor: Annotated[str | None, Field(examples=["2026-01-02T23:00"])] = None
    timezone: str = "UTC"
    count: Annotated[int, Field(ge=1, le=100)] = 5


class FilterWritten(Wire):
    """A filter as somebody is about to write it: JSON, or a text of JSON."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"inbox_id": "0192f0a1-0000-7000-8000-0000000000aa", "inclusion": {"form": {"@name": "Referral"}}}]}
    )

    inbox_id: IdText
    inclusion: Any = None
    exclusion: Any = None
    limit: Annotated[int, Field(ge=1, le=100)] = 10


class Matching(Wire):
    """The newest messages that would match, and how many were looked at."""

    items: list[MessageItem]
    looked_at: int


@router.get("/triggers/{trigger_id}/next", response=Page[Firing], summary="Next firings of a trigger")
def read_next_firings(request: HttpRequest, trigger_id: IdText, query: Query[Count]) -> Any:
    """Soonest first; empty for a trigger that has no schedule. Whether it is on does not matter."""
    row = found(TriggerRow.objects.filter(id=trigger_id, archived_at__isnull=True).select_related("project").first())
    require(request, row.project_id)
    trigger = found(current_snapshot(row.workflow_id).document.trigger(trigger_id))
    if trigger.kind not in SCHEDULE_KINDS:
        return Page[Firing](items=[])
    return Page[Firing](items=next_firings(schedule_of(trigger, row.project.timezone), platform().now_us(), query.count))


@router.post("/schedules/preview", response=Page[Firing], summary="Preview a schedule")
def preview_schedule(request: HttpRequest, given: ScheduleWritten) -> Any:
    """When it would fire, soonest first."""
    schedule = schedule_written(given.cron_expression, given.every, given.anchor, given.timezone)
    return Page[Firing](items=next_firings(schedule, platform().now_us(), given.count))


@router.post("/filters/preview", response=Matching, summary="Preview a filter")
def preview_filter(request: HttpRequest, given: FilterWritten) -> Any:
    """Looks at the newest 1 000 messages of the inbox at most."""
    inbox = found(Inbox.objects.filter(id=given.inbox_id, project__deleted_at__isnull=True).first())
    require(request, inbox.project_id)
    wanted = _filter(given)
    query = MessageQuery(inbox.project_id, inbox_ids=[inbox.id])
    matching: list[Message] = []
    looked_at, before = 0, None
    with platform().records.reading() as connection:
        while len(matching) < given.limit and looked_at < MOST_LOOKED_AT:
            batch = list_messages(connection, query, Slice(_BATCH, before))
            bodies = newest_bodies(connection, batch)
            for message in batch:
                looked_at += 1
                if _matches(wanted, bodies.get(message.id)):
                    matching.append(message)
                if len(matching) == given.limit:
                    break
            if len(batch) < _BATCH:
                break
            before = batch[-1].id
        return Matching(items=message_items(connection, matching), looked_at=looked_at)


def _filter(given: FilterWritten) -> MessageFilter:
    errors = {}
    for side in ("inclusion", "exclusion"):
        try:
            read_filter(**{side: getattr(given, side)})
        except InputError as error:
            errors[side] = [error.message]
    if errors:
        raise ValidationFailed(errors=errors)
    return read_filter(given.inclusion, given.exclusion)


def _matches(wanted: MessageFilter, version: MessageVersion | None) -> bool:
    if version is None:
        return False
    try:
        return wanted.matches(read_json(body_bytes(version)))
    except (BodyWiped, InvalidJson):
        return False
