"""Tables of credentials."""

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
            name="Credential",
            fields=[
                ("id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=255)),
                ("schema", models.CharField(default="raw", max_length=40)),
                ("external_id", models.CharField(max_length=255, null=True)),
                ("keys", models.JSONField(default=list)),
                ("sealed", kivuko.platform.sealing.SealedField()),
                ("owner_id", kivuko.platform.ids.IdField(null=True)),
                ("lock_version", models.PositiveIntegerField(default=1)),
                ("inserted_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "project",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="credentials", to="projects.project"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("project", "name"), name="credential_name"),
                    models.UniqueConstraint(fields=("project", "external_id"), name="credential_external_id"),
                ],
            },
        ),
    )
