"""Asking the database outside a request: on threads that live long, and may meet a database that is away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, InternalError, OperationalError, close_old_connections, connection

from kivuko.errors import RecordsUnavailable

__all__ = ["reaching"]


@contextmanager
def reaching() -> Iterator[None]:
    """Around look-ups: a connection that died is replaced, before or after; a database that is away raises RecordsUnavailable.

    Django does the first for its requests only. Inside a transaction nothing is closed.
    """
    if not connection.in_atomic_block:
        close_old_connections()
    try:
        yield
    except (OperationalError, InterfaceError, InternalError) as error:
        if not connection.in_atomic_block:
            connection.close()
        raise RecordsUnavailable(f"the database cannot be reached: {str(error).strip()}") from error
