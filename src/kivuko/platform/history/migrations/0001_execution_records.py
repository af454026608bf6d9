"""The records' schema, file 0001."""

from __future__ import annotations

from django.db import migrations

from kivuko.platform.history.schema import RecordsSchema

__all__ = ["Migration"]


class Migration(migrations.Migration):
    """Applies it."""

    initial = True
    atomic = False
    dependencies = ()
    operations = (RecordsSchema(),)
