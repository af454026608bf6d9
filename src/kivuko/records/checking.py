"""Looking for what must never be: rows that refer to nothing, unfinished work outside the queue, bodies without a file.

The databases have no foreign keys among hot tables; this is for ``kivuko doctor --data`` and for tests that kill processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kivuko.records.database import Connection
from kivuko.records.ids import Id
from kivuko.records.payloads import ObjectStore

__all__ = ["CHECKS", "Finding", "check_records"]

CHECKS = {
    "unfinished_without_place": "unfinished Attempts that are not in the queue",
    "place_without_attempt": "places in the queue without an unfinished Attempt",
    "attempt_without_work_order": "Attempts without their work order",
    "run_without_attempt": "Runs without their Attempt",
    "run_left_unfinished": "unfinished Runs of ended Attempts",
    "job_state_without_run": "job-states without their Run",
    "run_without_job_state": "Runs on messages without a job-state",
    "message_without_body_row": "messages without their newest version",
    "body_row_without_message": "versions without their message",
    "work_order_without_message": "work orders without their message",
}
"""The checks by the names of their statements, and what each would find."""

_AT_MOST = 100


@dataclass(frozen=True)
class Finding:
    """Something wrong: what, and the ids of the first hundred."""

    what: str
    ids: tuple[Id, ...]


def check_records(connection: Connection, objects: ObjectStore | None = None) -> list[Finding]:
    """Everything wrong that can be found; reads whole tables. With ``objects``, bodies whose object is missing too."""
    return [*_wrong_rows(connection), *(_missing_objects(connection, objects) if objects else ())]


def _wrong_rows(connection: Connection) -> Iterator[Finding]:
    for statement, what in CHECKS.items():
        found = connection.fetch(statement, at_most=_AT_MOST)
        if found:
            yield Finding(what, tuple(Id(row[0]) for row in found))


def _missing_objects(connection: Connection, objects: ObjectStore) -> Iterator[Finding]:
    missing = {Id(key) for (key,) in connection.fetch("stored_objects")} - set(objects.keys())
    if missing:
        yield Finding("large bodies whose object is gone", tuple(sorted(missing)[:_AT_MOST]))
