"""Where each schedule stands."""

from __future__ import annotations

from django.db import models

from kivuko.platform.ids import IdField

__all__ = ["ScheduleRow"]


class ScheduleRow(models.Model):
    """A cron or interval trigger. Times are µs.

    ``written`` is what its times follow from; ``next_at`` is null while it is off; ``waiting`` are ticks that wait for one before them.
    ``skipped`` counts the ticks that were let go. ``state_dataclip_id`` is what the next tick begins with as far as is known: it is pinned,
    for the job or workflow ``state_of``, and found also when retention has taken the Run that gave it.
    """

    trigger_id = IdField(primary_key=True, editable=False)
    workflow_id = IdField()
    project_id = IdField()
    written = models.CharField(max_length=500)
    next_at = models.BigIntegerField(null=True, db_index=True)
    waiting = models.JSONField(default=list)
    has_waiting = models.BooleanField(default=False, db_index=True)
    skipped = models.PositiveBigIntegerField(default=0)
    skipped_at = models.BigIntegerField(null=True)
    state_of = IdField(null=True)
    state_dataclip_id = IdField(null=True)

    class Meta:
        """The table is called after the noun."""

        db_table = "schedules_schedule"
