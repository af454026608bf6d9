"""What the signed-in person was told."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from kivuko.errors import Forbidden
from kivuko.platform.api.authentication import actor_of
from kivuko.platform.api.pages import ListQuery, Page, count_up_to, orm_page
from kivuko.platform.api.wire import IdText, Moment, Wire, datetime_us
from kivuko.platform.notifications.models import Notification
from kivuko.platform.notifications.reading import read
from kivuko.records import Id

__all__ = ["router"]

router = Router(tags=["notifications"])


class NotificationShape(Wire):
    """One thing that I was told; `subject_id` is the run or attempt that it is about."""

    id: IdText
    project_id: IdText
    kind: Literal["run_failed", "attempt_lost", "chain_too_deep"]
    subject_id: IdText
    title: str
    text: str
    link: str
    inserted_at: Moment
    read_at: Moment | None


class NotificationFilters(ListQuery):
    """Which notifications."""

    unread: Annotated[bool | None, Field(description="Only those that were not read (or, `false`, that were).")] = None
    project_id: list[IdText] | None = None


@router.get("/notifications", response=Page[NotificationShape], summary="List my notifications")
def list_notifications(request: HttpRequest, filters: Query[NotificationFilters]) -> Any:
    """Newest first."""
    mine = Notification.objects.filter(user_id=_user_id(request))
    if filters.unread is not None:
        mine = mine.filter(read_at__isnull=filters.unread)
    if filters.project_id is not None:
        mine = mine.filter(project_id__in=filters.project_id)
    rows, cursor = orm_page(mine, filters)
    counted = count_up_to(filters.count, lambda most: mine[:most].count())
    return Page[NotificationShape](items=[_shape(row) for row in rows], next_cursor=cursor, **counted)


@router.post("/notifications/{notification_id}/read", response=NotificationShape, summary="Mark a notification as read")
def read_notification(request: HttpRequest, notification_id: IdText) -> Any:
    """The first time counts."""
    return _shape(read(notification_id, _user_id(request)))


def _user_id(request: HttpRequest) -> Id:
    found = actor_of(request).user_id
    if found is None:
        raise Forbidden("this is for people")
    return found


def _shape(row: Notification) -> NotificationShape:
    return NotificationShape(
        id=row.id,
        project_id=row.project_id,
        kind=row.kind,  # type: ignore[arg-type]  # the notices' words are the wire's
        subject_id=row.subject_id,
        title=row.title,
        text=row.text,
        link=row.link,
        inserted_at=datetime_us(row.inserted_at),
        read_at=datetime_us(row.read_at) if row.read_at else None,
    )
