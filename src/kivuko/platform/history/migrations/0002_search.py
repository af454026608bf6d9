"""The records' schema, file 0002."""

from __future__ import annotations

from django.db import migrations

from kivuko.platform.history.schema import RecordsSchema

__all__ = ["Migration"]


class Migration(migrations.Migration):
    """Applies it."""

    atomic = False
    dependencies = (("history", "0001_execution_records"),)
    operations = (RecordsSchema(),)
