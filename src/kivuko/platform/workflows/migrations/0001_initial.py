"""Tables of workflows."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import kivuko.platform.ids

__all__ = ["Migration"]


class Migration(migrations.Migration):
    """Makes them."""

    initial = True

    dependencies = (("projects", "0001_initial"),)

    operations = (
        migrations.CreateModel(
            name="Workflow",
            fields=[
                ("id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=255)),
                ("enabled", models.BooleanField(default=False)),
                ("concurrency", models.PositiveIntegerField(null=True)),
                ("when_lost", models.CharField(default="retry", max_length=10)),
                ("lock_version", models.PositiveIntegerField(default=0)),
                ("snapshot_id", kivuko.platform.ids.IdField(null=True)),
                ("deleted_at", models.DateTimeField(null=True)),
                ("inserted_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "project",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="workflows", to="projects.project"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TriggerRow",
            fields=[
                ("id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=10)),
                ("enabled", models.BooleanField(default=False)),
                ("inbox_id", kivuko.platform.ids.IdField(db_index=True, null=True)),
                ("custom_path", models.CharField(max_length=255, null=True)),
                ("source_job_id", kivuko.platform.ids.IdField(db_index=True, null=True)),
                ("source_workflow_id", kivuko.platform.ids.IdField(db_index=True, null=True)),
                ("place", models.PositiveIntegerField(default=0)),
                ("archived_at", models.DateTimeField(null=True)),
                ("project", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="triggers", to="projects.project")),
                (
                    "workflow",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="triggers", to="workflows.workflow"),
                ),
            ],
            options={
                "db_table": "workflows_trigger",
            },
        ),
        migrations.CreateModel(
            name="Snapshot",
            fields=[
                ("id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("lock_version", models.PositiveIntegerField()),
                ("document", models.TextField()),
                ("author_id", kivuko.platform.ids.IdField(null=True)),
                ("inserted_at", models.DateTimeField(auto_now_add=True)),
                (
                    "workflow",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="snapshots", to="workflows.workflow"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="JobRow",
            fields=[
                ("id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("language", models.CharField(max_length=20)),
                ("adaptor", models.CharField(max_length=255, null=True)),
                ("credential_id", kivuko.platform.ids.IdField(db_index=True, null=True)),
                ("enabled", models.BooleanField(default=True)),
                ("place", models.PositiveIntegerField(default=0)),
                ("archived_at", models.DateTimeField(null=True)),
                ("project", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="jobs", to="projects.project")),
                ("workflow", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="jobs", to="workflows.workflow")),
            ],
            options={
                "db_table": "workflows_job",
            },
        ),
        migrations.AddConstraint(
            model_name="workflow",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at__isnull", True)), fields=("project", "name"), name="workflow_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="triggerrow",
            constraint=models.UniqueConstraint(
                condition=models.Q(("archived_at__isnull", True)), fields=("project", "custom_path"), name="trigger_path"
            ),
        ),
        migrations.AddConstraint(
            model_name="snapshot",
            constraint=models.UniqueConstraint(fields=("workflow", "lock_version"), name="snapshot_version"),
        ),
    )
