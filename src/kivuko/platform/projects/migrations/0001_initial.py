"""Tables of projects."""

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
            name="ConfigurationVersion",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("number", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Project",
            fields=[
                ("id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("description", models.CharField(blank=True, default="", max_length=240)),
                ("timezone", models.CharField(default="UTC", max_length=64)),
                ("concurrency", models.PositiveIntegerField(null=True)),
                ("retention_policy", models.CharField(default="retain_all", max_length=20)),
                ("history_retention_days", models.PositiveIntegerField(null=True)),
                ("message_retention_days", models.PositiveIntegerField(null=True)),
                ("dataclip_retention_days", models.PositiveIntegerField(null=True)),
                ("keep_logs", models.BooleanField(default=True)),
                ("lock_version", models.PositiveIntegerField(default=1)),
                ("deleted_at", models.DateTimeField(null=True)),
                ("inserted_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(condition=models.Q(("deleted_at__isnull", True)), fields=("name",), name="project_name")
                ],
            },
        ),
    )
