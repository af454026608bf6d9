"""Tables of audit."""

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
            name="AuditEntry",
            fields=[
                ("id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("project_id", kivuko.platform.ids.IdField(null=True)),
                ("actor_kind", models.CharField(max_length=20)),
                ("actor_id", kivuko.platform.ids.IdField(null=True)),
                ("event", models.CharField(max_length=60)),
                ("item_type", models.CharField(max_length=40)),
                ("item_id", kivuko.platform.ids.IdField()),
                ("changes", models.JSONField(default=dict)),
                ("address", models.CharField(max_length=64, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["project_id", "id"], name="audit_of_project"),
                    models.Index(fields=["item_id", "id"], name="audit_of_item"),
                ],
            },
        ),
    )
