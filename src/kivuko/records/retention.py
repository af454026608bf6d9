"""Letting go: bodies are wiped, history is deleted, in small batches of the bulk lane; SQLite then gives the disk back (§10).

Each intent does a little and gives how much; whoever keeps house submits it again until it gives 0. What unfinished work needs, what
has a name and what is pinned stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from kivuko.records.ids import Id
from kivuko.records.intents import Intent, Transaction
from kivuko.records.jobstates import recompute_job_states
from kivuko.records.rows import Message

__all__ = [
    "BATCH",
    "DeleteHistory",
    "Forget",
    "Part",
    "Vacuum",
    "WipeBodies",
    "Wiped",
    "delete_history",
    "forget",
    "oldest_kept",
    "vacuum",
    "wipe_bodies",
]

BATCH = 500
"""Rows a batch: about 50 ms."""
_VACUUM_PAGES = 2000


class Part(Enum):
    """Which bodies are wiped."""

    MESSAGES = "messages"
    ATTEMPTS = "attempts"
    """Outputs and final states."""
    SAVED_INPUTS = "saved_inputs"


@dataclass(frozen=True)
class Wiped:
    """How many bodies were wiped, and where to go on; ``after`` is None when nothing older than the limit is left."""

    count: int
    after: Id | None


@dataclass(frozen=True)
class WipeBodies(Intent[Wiped]):
    """Wipes bodies of a part of a project that are older than ``before`` (``oldest_kept``); their rows stay."""

    family = "wipe_bodies"
    alone = True
    project_id: Id
    part: Part
    before: Id
    after: Id = Id(bytes(16))  # noqa: RUF009 - an Id never changes


@dataclass(frozen=True)
class DeleteHistory(Intent[int]):
    """Deletes a project's finished work orders older than ``before``, with their Attempts, Runs, logs and dataclips, and messages
    that nothing refers to any more.
    """

    family = "delete_history"
    alone = True
    project_id: Id
    before: Id


@dataclass(frozen=True)
class Forget(Intent[int]):
    """Deletes what has no more use: idempotency keys after their window, guards of the 10-second rule after ``guards_before_us``."""

    family = "forget"
    alone = True
    guards_before_us: int


@dataclass(frozen=True)
class Vacuum(Intent[int]):
    """Gives free pages back to the file system; how many were free before (SQLite; elsewhere 0)."""

    family = "vacuum"
    alone = True


def oldest_kept(at_us: int) -> Id:
    """The smallest id that something made at this time (µs) can have."""
    return Id((at_us // 1000).to_bytes(6, "big") + bytes(10))


def wipe_bodies(transaction: Transaction, intents: Sequence[WipeBodies]) -> list[Wiped]:
    """Wipes a batch for each intent. Files of large bodies are told as ``object_wiped``, to be deleted after the commit."""
    return [_wipe(transaction, intent) for intent in intents]


def _wipe(transaction: Transaction, intent: WipeBodies) -> Wiped:
    connection, part = transaction.connection, intent.part.value
    found = connection.fetch(f"{part}_before", project_id=intent.project_id, after=intent.after, before=intent.before, at_most=BATCH)
    ids = [Id(each) for (each,) in found]
    if not ids:
        return Wiped(0, None)
    asked = {"ids": ids} if intent.part is Part.MESSAGES else {"ids": ids, "project_id": intent.project_id}
    rows = connection.fetch(f"{part}_wipeable", **asked)
    for key in (row[1] for row in rows if row[1] is not None):
        transaction.tell("object_wiped", intent.project_id, Id(key))
    statement = "versions_wiped" if intent.part is Part.MESSAGES else "dataclips_wiped"
    transaction.wiped = transaction.wiped or bool(rows)
    count = connection.changed(statement, ids=sorted({Id(row[0]) for row in rows}), now_us=transaction.now_us) if rows else 0
    return Wiped(count, ids[-1])


def delete_history(transaction: Transaction, intents: Sequence[DeleteHistory]) -> list[int]:
    """Deletes a batch for each intent: log lines first, for an Attempt may have a hundred thousand."""
    return [_delete(transaction, intent) for intent in intents]


def _delete(transaction: Transaction, intent: DeleteHistory) -> int:
    connection = transaction.connection
    asked = {"project_id": intent.project_id, "before": intent.before, "at_most": BATCH // 5}
    orders = [Id(order) for (order,) in connection.fetch("orders_to_delete", **asked)]
    attempts = [Id(found) for (found,) in connection.fetch("attempts_of_work_orders", ids=orders)] if orders else []
    if attempts and (lines := connection.changed("lines_deleted", ids=attempts, at_most=BATCH * 10)):
        return lines
    if not orders:
        return _delete_messages(transaction, intent)
    if attempts:
        _delete_attempts(transaction, intent, attempts)
    return connection.changed("orders_deleted", ids=orders)


def _delete_attempts(transaction: Transaction, intent: DeleteHistory, attempts: list[Id]) -> None:
    connection = transaction.connection
    for key in (key for (key,) in connection.fetch("objects_of_attempts", ids=attempts)):
        transaction.tell("object_wiped", intent.project_id, Id(key))
    pairs = {(Id(message), Id(job)) for message, job in connection.fetch("pairs_of_attempts", ids=attempts)}
    if pairs:
        connection.load(Message, "messages_locked", ids=sorted({message for message, _ in pairs}))
    for statement in ("attempt_runs_deleted", "runs_of_attempts_deleted", "dataclips_of_attempts_deleted", "attempts_deleted"):
        connection.change(statement, ids=attempts)
    recompute_job_states(connection, pairs)


def _delete_messages(transaction: Transaction, intent: DeleteHistory) -> int:
    connection = transaction.connection
    found = connection.fetch("messages_to_delete", project_id=intent.project_id, before=intent.before, at_most=BATCH)
    messages = [Id(message) for (message,) in found]
    if not messages:
        return 0
    for key in (key for (key,) in connection.fetch("objects_of_messages", ids=messages)):
        transaction.tell("object_wiped", intent.project_id, Id(key))
    for statement in ("guards_of_messages_deleted", "job_states_of_messages_deleted", "versions_deleted", "messages_deleted"):
        connection.change(statement, ids=messages)
    return len(messages)


def forget(transaction: Transaction, intents: Sequence[Forget]) -> list[int]:
    """Deletes a batch for each intent."""
    connection = transaction.connection
    return [
        connection.changed("once_expired", now_us=transaction.now_us, at_most=BATCH)
        + connection.changed("guards_expired", before_us=intent.guards_before_us, at_most=BATCH)
        for intent in intents
    ]


def vacuum(transaction: Transaction, intents: Sequence[Vacuum]) -> list[int]:
    """Gives a batch of free pages back."""
    connection = transaction.connection
    if connection.dialect != "sqlite":
        return [0] * len(intents)
    ((free,),) = connection.query("PRAGMA freelist_count")
    connection.query(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})")
    return [free] * len(intents)
