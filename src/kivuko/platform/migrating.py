"""Bringing a database up to date: Django's tables and the records' in one history."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.db import DatabaseError, connection

from kivuko.errors import RecordsUnavailable

__all__ = ["migrate"]

_LOCK = 27499
"""Follows the records' own (kivuko.records.schema)."""
_WAITS_S = 600


def migrate() -> list[str]:
    """Applies what is missing; its names. On PostgreSQL one process does it while others that start at the same time wait.

    Raises RecordsUnavailable when the database cannot be reached or written to.
    """
    try:
        with _alone():
            if _known() <= _applied():
                return []
            # Imported now: most starts find nothing missing, and need neither the migrations nor what carries them out.
            missing: list[str] = importlib.import_module("kivuko.platform.missing").apply_missing()
    except DatabaseError as error:
        raise RecordsUnavailable(f"the database cannot be brought up to date: {error}") from error
    return missing


def _known() -> set[tuple[str, str]]:
    """App and name of every migration there is, by the names of their files, as Django finds them."""
    return {
        (app.label, found.name)
        for app in apps.get_app_configs()
        for found in pkgutil.iter_modules([str(Path(app.path) / "migrations")])
        if not found.ispkg and found.name[0] not in "_~"
    }


def _applied() -> set[tuple[str, str]]:
    """App and name of those that the database has; none when it has no list of them."""
    with connection.cursor() as cursor:
        try:
            cursor.execute("SELECT app, name FROM django_migrations")
        except DatabaseError:
            # A new database; or one that cannot be read, which whoever looks closer will say.
            return set()
        return {(app, name) for app, name in cursor.fetchall()}


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
