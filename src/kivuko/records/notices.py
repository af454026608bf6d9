"""Notices: what the transactions of Runs and Attempts left for who sends mail (the outbox of server-and-data §7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kivuko.records.database import Connection
from kivuko.records.ids import Id
from kivuko.records.intents import Intent, Transaction
from kivuko.records.rows import Notice

__all__ = ["Dismiss", "dismiss", "waiting_notices"]


@dataclass(frozen=True)
class Dismiss(Intent[int]):
    """Deletes notices that were passed on; how many were still there."""

    family = "dismiss"
    alone = True
    notice_ids: tuple[Id, ...]


def dismiss(transaction: Transaction, intents: Sequence[Dismiss]) -> list[int]:
    """Deletes the notices of each intent."""
    return [
        transaction.connection.change("notices_deleted", ids=sorted(intent.notice_ids)) if intent.notice_ids else 0 for intent in intents
    ]


def waiting_notices(connection: Connection, at_most: int = 100) -> list[Notice]:
    """The notices that nobody has passed on yet, oldest first."""
    return connection.load(Notice, "notices_waiting", at_most=at_most)
