"""The fingerprints of secrets that all servers of a database share."""

from __future__ import annotations

from django.db import migrations, models

__all__ = ["Migration"]


class Migration(migrations.Migration):
    """Makes their table."""

    dependencies = (("projects", "0001_initial"),)

    operations = (
        migrations.CreateModel(
            name="SharedSecret",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("fingerprint", models.TextField()),
            ],
        ),
    )
