"""Files of large bodies that belong to nothing are deleted."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from kivuko.records import Records, sweep_objects

__all__ = ["sweep"]

_log = structlog.get_logger(__name__)


def sweep(records: Records) -> Callable[[], bool]:
    """The work of a chore, every few hours; it raises RecordsUnavailable."""

    def work() -> bool:
        if records.objects is None:
            return False
        with records.reading() as connection:
            swept = sweep_objects(connection, records.objects, connection.now_us())
        if swept:
            _log.warning("objects_swept", objects=swept)
        return False

    return work
