"""Calling the platform from threads that are not in a request of Django's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, InterfaceError, close_old_connections

from kivuko.errors import RecordsUnavailable

__all__ = ["orm"]


@contextmanager
def orm() -> Iterator[None]:
    """Around calls that use the ORM: a connection that died is not used again. Raises RecordsUnavailable when the database is away."""
    close_old_connections()
    try:
        yield
    except (DatabaseError, InterfaceError) as error:
        raise RecordsUnavailable(f"the database cannot be asked: {error}") from error
