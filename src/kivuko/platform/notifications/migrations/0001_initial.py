"""Tables of notifications."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import kivuko.platform.ids

__all__ = ["Migration"]


class Migration(migrations.Migration):
    """Makes them."""

    initial = True

    dependencies = (("accounts", "0001_initial"),)

    operations = (
        migrations.CreateModel(
            name="Letter",
            fields=[
                ("id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("recipient", models.CharField(max_length=160)),
                ("subject", models.CharField(max_length=400)),
                ("text", models.TextField()),
                ("html", models.TextField()),
                ("tries", models.PositiveIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(db_index=True, null=True)),
                ("last_error", models.CharField(blank=True, default="", max_length=500)),
                ("inserted_at", models.DateTimeField(auto_now_add=True)),
                ("given_up_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "notifications_letter",
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                ("id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("project_id", kivuko.platform.ids.IdField()),
                ("notice_id", kivuko.platform.ids.IdField()),
                ("kind", models.CharField(max_length=30)),
                ("subject_id", kivuko.platform.ids.IdField()),
                ("title", models.CharField(max_length=400)),
                ("text", models.TextField()),
                ("link", models.CharField(max_length=400)),
                ("inserted_at", models.DateTimeField(auto_now_add=True)),
                ("read_at", models.DateTimeField(null=True)),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="notifications", to="accounts.user")),
            ],
            options={
                "db_table": "notifications_notification",
                "indexes": [models.Index(fields=["user", "id"], name="notification_of_user")],
                "constraints": [models.UniqueConstraint(fields=("notice_id", "user"), name="notification_once")],
            },
        ),
    )
