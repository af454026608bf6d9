"""Tables of inbox."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import kivuko.platform.ids
import kivuko.platform.sealing

__all__ = ["Migration"]


class Migration(migrations.Migration):
    """Makes them."""

    initial = True

    dependencies = (("projects", "0001_initial"),)

    operations = (
        migrations.CreateModel(
            name="Inbox",
            fields=[
                ("id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("auth_method_ids", models.JSONField(default=list)),
                ("idempotency", models.JSONField(null=True)),
                ("body_limit_bytes", models.PositiveIntegerField(default=10485760)),
                ("reply", models.CharField(default="before_start", max_length=20)),
                ("lock_version", models.PositiveIntegerField(default=1)),
                ("inserted_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("project", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="inboxes", to="projects.project")),
            ],
        ),
        migrations.CreateModel(
            name="InboxSecret",
            fields=[
                ("id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("sealed", kivuko.platform.sealing.SealedField()),
                ("ends_at", models.DateTimeField(null=True)),
                ("inserted_at", models.DateTimeField(auto_now_add=True)),
                ("inbox", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="secrets", to="inbox.inbox")),
            ],
        ),
        migrations.CreateModel(
            name="AuthMethod",
            fields=[
                ("id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("kind", models.CharField(max_length=10)),
                ("username", models.CharField(max_length=255, null=True)),
                ("sealed", kivuko.platform.sealing.SealedField()),
                ("inserted_at", models.DateTimeField(auto_now_add=True)),
                (
                    "project",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="auth_methods", to="projects.project"),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("project", "name"), name="auth_method_name")],
            },
        ),
        migrations.AddConstraint(
            model_name="inbox",
            constraint=models.UniqueConstraint(fields=("project", "name"), name="inbox_name"),
        ),
        migrations.AddConstraint(
            model_name="inboxsecret",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ends_at__isnull", True)), fields=("inbox",), name="inbox_current_secret"
            ),
        ),
    )
