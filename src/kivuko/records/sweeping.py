"""Objects that no row names: a crash came between the object and its row (server-and-data §4.3)."""

from __future__ import annotations

from kivuko.records.database import Connection
from kivuko.records.ids import Id
from kivuko.records.payloads import ObjectStore

__all__ = ["SWEPT_AFTER_US", "sweep_objects"]

SWEPT_AFTER_US = 86_400_000_000
"""An object is complete before its row is there: what is younger than a day may still get one."""
_AT_ONCE = 500


def sweep_objects(connection: Connection, objects: ObjectStore, now_us: int) -> int:
    """Deletes objects that are older than a day and belong to nothing; how many."""
    old = [key for key in objects.keys() if key.made_at_us < now_us - SWEPT_AFTER_US]  # noqa: SIM118 - a store is no dict
    swept = 0
    for at in range(0, len(old), _AT_ONCE):
        keys = old[at : at + _AT_ONCE]
        owned = {Id(key) for (key,) in connection.fetch("objects_owned", ids=keys)}
        unowned = [key for key in keys if key not in owned]
        objects.delete(unowned)
        swept += len(unowned)
    return swept
