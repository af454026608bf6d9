"""The records' schema files as steps of Django's history: one file, one migration."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from kivuko.platform.settings import records_database
from kivuko.records import apply_schema

__all__ = ["RecordsSchema"]


class RecordsSchema(migrations.RunPython):
    """Applies the records' schema files that the database lacks, up to the newest: they are theirs to order, and are applied once each.

    Its migration must not be atomic: the records have a connection of their own.
    """

    def __init__(self) -> None:
        super().__init__(_apply, migrations.RunPython.noop)


def _apply(apps: Any, schema_editor: Any) -> None:
    connection = records_database().connect()
    try:
        apply_schema(connection)
    finally:
        connection.close()
