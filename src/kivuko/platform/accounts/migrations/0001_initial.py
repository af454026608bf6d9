"""Tables of accounts."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

import kivuko.platform.ids

__all__ = ["Migration"]


class Migration(migrations.Migration):
    """Makes them."""

    initial = True

    dependencies = (("projects", "0001_initial"),)

    operations = (
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("email", models.CharField(max_length=160)),
                ("name", models.CharField(blank=True, default="", max_length=160)),
                ("is_superuser", models.BooleanField(default=False)),
                ("is_active", models.BooleanField(default=True)),
                ("inserted_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(django.db.models.functions.text.Lower("email"), name="user_email")],
            },
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                ("id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("name", models.CharField(blank=True, default="", max_length=100)),
                ("prefix", models.CharField(max_length=12)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("last_used_at", models.DateTimeField(null=True)),
                ("inserted_at", models.DateTimeField(auto_now_add=True)),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="tokens", to="accounts.user")),
            ],
        ),
        migrations.CreateModel(
            name="SignInLink",
            fields=[
                ("id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("expires_at", models.DateTimeField()),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="sign_in_links", to="accounts.user")),
            ],
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", kivuko.platform.ids.IdField(primary_key=True, serialize=False)),
                ("role", models.CharField(max_length=10)),
                ("inserted_at", models.DateTimeField(auto_now_add=True)),
                (
                    "project",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="memberships", to="projects.project"),
                ),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="memberships", to="accounts.user")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("project", "user"), name="membership_once"),
                    models.UniqueConstraint(condition=models.Q(("role", "owner")), fields=("project",), name="membership_one_owner"),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ("owner", "admin", "editor", "viewer"))), name="membership_role"
                    ),
                ],
            },
        ),
    )
