"""Tables of schedules."""

from __future__ import annotations

from django.db import migrations, models

import kivuko.platform.ids

__all__ = ["Migration"]


class Migration(migrations.Migration):
    """Makes them."""

    initial = True

    dependencies = ()

    operations = (
        migrations.CreateModel(
            name="ScheduleRow",
            fields=[
                ("trigger_id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("workflow_id", kivuko.platform.ids.IdField()),
                ("project_id", kivuko.platform.ids.IdField()),
                ("written", models.CharField(max_length=500)),
                ("next_at", models.BigIntegerField(db_index=True, null=True)),
                ("waiting", models.JSONField(default=list)),
                ("has_waiting", models.BooleanField(db_index=True, default=False)),
                ("skipped", models.PositiveBigIntegerField(default=0)),
                ("skipped_at", models.BigIntegerField(null=True)),
                ("state_of", kivuko.platform.ids.IdField(null=True)),
                ("state_dataclip_id", kivuko.platform.ids.IdField(null=True)),
            ],
            options={"db_table": "schedules_schedule"},
        ),
    )
