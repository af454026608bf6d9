"""Tables of operations."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import kivuko.platform.ids

__all__ = ["Migration"]


class Migration(migrations.Migration):
    """Makes them."""

    initial = True

    dependencies = ()

    operations = (
        migrations.CreateModel(
            name="OperationRow",
            fields=[
                ("id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("project_id", kivuko.platform.ids.IdField(db_index=True)),
                ("kind", models.CharField(default="bulk_rerun", max_length=20)),
                ("subject", models.CharField(max_length=10)),
                ("start", models.CharField(default="start", max_length=40)),
                ("filter", models.JSONField(default=dict)),
                ("rate_per_s", models.FloatField(null=True)),
                ("state", models.CharField(db_index=True, default="queued", max_length=10)),
                ("total", models.PositiveIntegerField(default=0)),
                ("position", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("skipped", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("reasons", models.JSONField(default=dict)),
                ("started_work_orders", models.PositiveIntegerField(default=0)),
                ("cancel_requested", models.BooleanField(default=False)),
                ("author_id", kivuko.platform.ids.IdField(null=True)),
                ("inserted_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "operations_operation",
            },
        ),
        migrations.CreateModel(
            name="OperationItems",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("ids", models.BinaryField()),
                (
                    "operation",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="items", to="operations.operationrow"),
                ),
            ],
            options={
                "db_table": "operations_items",
                "constraints": [models.UniqueConstraint(fields=("operation", "number"), name="operation_part")],
            },
        ),
    )
