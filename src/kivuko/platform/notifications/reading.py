"""What a person was told was read."""

from __future__ import annotations

from django.utils import timezone

from kivuko.errors import ObjectMissing
from kivuko.platform.notifications.models import Notification
from kivuko.records import Id

__all__ = ["read"]


def read(notification_id: Id, user_id: Id) -> Notification:
    """Notes that it was read, the first time. Raises ObjectMissing for one that is another person's, or none."""
    row = Notification.objects.filter(id=notification_id, user_id=user_id).first()
    if row is None:
        raise ObjectMissing()
    if row.read_at is None:
        row.read_at = timezone.now()
        row.save(update_fields=["read_at"])
    return row
