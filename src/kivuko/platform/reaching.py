"""Asking the database outside a request: on threads that live long, and may meet a database that is away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, Error, InterfaceError, OperationalError, close_old_connections, connection

from kivuko.errors import RecordsUnavailable

__all__ = ["is_away", "reaching"]

_READ_ONLY = "25006"
"""SQLSTATE of a write where nothing may be written."""


def is_away(error: Error) -> bool:
    """Whether the database cannot be used just now. A read-only one has another in its place; PostgreSQL's driver calls that internal."""
    return isinstance(error, OperationalError | InterfaceError) or getattr(error.__cause__, "sqlstate", None) == _READ_ONLY


@contextmanager
def reaching() -> Iterator[None]:
    """Around look-ups: a connection that died is replaced, before or after; a database that is away raises RecordsUnavailable.

    Django does the first for its requests only. Inside a transaction nothing is closed.
    """
    if not connection.in_atomic_block:
        close_old_connections()
    try:
        yield
    except (DatabaseError, InterfaceError) as error:
        if not is_away(error):
            raise
        if not connection.in_atomic_block:
            connection.close()
        raise RecordsUnavailable(f"the database cannot be reached: {str(error).strip()}") from error
