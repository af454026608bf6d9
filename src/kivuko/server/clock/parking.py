"""Parked Attempts whose time has come join the queue."""

from __future__ import annotations

from collections.abc import Callable

from kivuko.records import Records, Unpark

__all__ = ["unpark"]

_PATIENCE_S = 30


def unpark(records: Records) -> Callable[[], bool]:
    """The work of a chore; it raises RecordsUnavailable."""
    return lambda: records.submit(Unpark()).result(_PATIENCE_S) > 0
