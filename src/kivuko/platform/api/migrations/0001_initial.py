"""Tables of the API."""

from __future__ import annotations

from django.db import migrations, models

import kivuko.platform.ids
import kivuko.platform.sealing

__all__ = ["Migration"]


class Migration(migrations.Migration):
    """Makes them."""

    initial = True

    dependencies = ()

    operations = (
        migrations.CreateModel(
            name="KeptAnswer",
            fields=[
                ("id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("key", models.BinaryField(max_length=32, unique=True)),
                ("request", models.BinaryField(max_length=32)),
                ("status", models.IntegerField(default=0)),
                ("headers", models.JSONField(default=dict)),
                ("sealed", kivuko.platform.sealing.SealedField(null=True)),
                ("asked_at", models.BigIntegerField(db_index=True)),
            ],
            options={"db_table": "api_kept_answer"},
        ),
    )
