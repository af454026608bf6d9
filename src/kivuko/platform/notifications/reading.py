"""What a person was told, newest first, and that it was read."""

from __future__ import annotations

from django.utils import timezone

from kivuko.errors import ObjectMissing
from kivuko.platform.notifications.models import Notification
from kivuko.records import Id

__all__ = ["notifications_of", "read"]


def notifications_of(user_id: Id, *, before: Id | None = None, at_most: int = 50, unread: bool = False) -> list[Notification]:
    """A page of what a person was told, newest first."""
    found = Notification.objects.filter(user_id=user_id)
    found = found.filter(id__lt=before) if before else found
    found = found.filter(read_at__isnull=True) if unread else found
    return list(found.order_by("-id")[:at_most])


def read(notification_id: Id, user_id: Id) -> Notification:
    """Notes that it was read, the first time. Raises ObjectMissing for one that is another person's, or none."""
    row = Notification.objects.filter(id=notification_id, user_id=user_id).first()
    if row is None:
        raise ObjectMissing()
    if row.read_at is None:
        row.read_at = timezone.now()
        row.save(update_fields=["read_at"])
    return row
