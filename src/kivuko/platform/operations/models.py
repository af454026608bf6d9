"""Operations and what they are about; an operation goes on from its row, whatever restarts."""

from __future__ import annotations

from django.db import models

from kivuko.platform.ids import IdField
from kivuko.records import new_id

__all__ = ["OperationItems", "OperationRow"]


class OperationRow(models.Model):
    """An operation. ``subject`` is ``messages`` or ``runs``, ``start`` is ``start`` or the id of a job.

    ``position`` counts the items that were looked at. ``filter`` is what a person asked for, to be shown; what it meant when it was asked
    is in the items.
    """

    id = IdField(primary_key=True, default=new_id, editable=False)
    project_id = IdField(db_index=True)
    kind = models.CharField(max_length=20, default="bulk_rerun")
    subject = models.CharField(max_length=10)
    start = models.CharField(max_length=40, default="start")
    filter = models.JSONField(default=dict)
    rate_per_s = models.FloatField(null=True)
    state = models.CharField(max_length=10, default="queued", db_index=True)
    total = models.PositiveIntegerField(default=0)
    position = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    reasons = models.JSONField(default=dict)
    started_work_orders = models.PositiveIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    author_id = IdField(null=True)
    inserted_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        """The table is called after the noun."""

        db_table = "operations_operation"


class OperationItems(models.Model):
    """Up to a thousand ids, 16 bytes each, in the order in which they are worked off."""

    operation = models.ForeignKey(OperationRow, models.CASCADE, related_name="items")
    number = models.PositiveIntegerField()
    ids = models.BinaryField()

    class Meta:
        """One part of each number."""

        db_table = "operations_items"
        constraints = (models.UniqueConstraint(fields=("operation", "number"), name="operation_part"),)
