"""The records' schema, file 0003."""

from __future__ import annotations

from django.db import migrations

from kivuko.platform.history.schema import RecordsSchema

__all__ = ["Migration"]


class Migration(migrations.Migration):
    """Applies it."""

    atomic = False
    dependencies = (("history", "0002_search"),)
    operations = (RecordsSchema(),)
