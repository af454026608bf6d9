"""The table of the audit trail."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models

from kivuko.platform.ids import IdField
from kivuko.records import new_id

__all__ = ["AuditEntry"]


class AuditEntry(models.Model):
    """Something that somebody changed. ``changes``: ``{"before", "after"}`` without secrets. No foreign keys: it outlives its subjects.

    ``actor_kind``: ``user``, ``token``, ``system``; ``address`` is where the request came from.
    """

    id = IdField(primary_key=True, default=new_id, editable=False)
    project_id = IdField(null=True)
    actor_kind = models.CharField(max_length=20)
    actor_id = IdField(null=True)
    event = models.CharField(max_length=60)
    item_type = models.CharField(max_length=40)
    item_id = IdField()
    changes = models.JSONField(default=dict)
    address = models.CharField(max_length=64, null=True)

    class Meta:
        """Read by project and by item, newest first."""

        indexes = (
            models.Index(fields=("project_id", "id"), name="audit_of_project"),
            models.Index(fields=("item_id", "id"), name="audit_of_item"),
        )

    def save(self, *args: Any, **options: Any) -> None:
        """Adds the entry. Raises TypeError for one that is there: a trail that can be changed proves nothing."""
        if not self._state.adding:
            raise TypeError("the audit trail is only ever added to")
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        """Refuses: raises TypeError."""
        raise TypeError("the audit trail is only ever added to")
