"""The migrations that a database lacks: found by Django's graph of all of them, and applied."""

from __future__ import annotations

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

__all__ = ["apply_missing", "missing_migrations"]


def apply_missing() -> list[str]:
    """Applies what is missing, in order; its names. Raises django.db.DatabaseError."""
    missing = missing_migrations()
    if missing:
        call_command("migrate", interactive=False, verbosity=0)
    return missing


def missing_migrations() -> list[str]:
    """The migrations that the database lacks, in order: ``app.name``."""
    executor = MigrationExecutor(connection)
    return [f"{migration.app_label}.{migration.name}" for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
