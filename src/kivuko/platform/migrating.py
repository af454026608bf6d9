"""Bringing a database up to date: Django's tables and the records' in one history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from kivuko.errors import RecordsUnavailable

__all__ = ["migrate", "missing_migrations"]

_LOCK = 27499
"""Follows the records' own (kivuko.records.schema)."""
_WAITS_S = 600


def migrate() -> list[str]:
    """Applies what is missing; its names. On PostgreSQL one process does it while others that start at the same time wait.

    Raises RecordsUnavailable when the database cannot be reached or written to.
    """
    try:
        with _alone():
            missing = missing_migrations()
            if missing:
                call_command("migrate", interactive=False, verbosity=0)
    except DatabaseError as error:
        raise RecordsUnavailable(f"the database cannot be brought up to date: {error}") from error
    return missing


def missing_migrations() -> list[str]:
    """The migrations that the database lacks, in order: ``app.name``."""
    executor = MigrationExecutor(connection)
    return [f"{migration.app_label}.{migration.name}" for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


@contextmanager
def _alone() -> Iterator[None]:
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{_WAITS_S}s'")
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        # A migration that waits for a lock blocks everybody behind it.
        cursor.execute("SET lock_timeout = '10s'")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
            cursor.execute("RESET lock_timeout")
