"""Naming a dataclip: one with a name is kept when others are wiped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kivuko.errors import RecordMissing
from kivuko.records.ids import Id
from kivuko.records.intents import Intent, Transaction

__all__ = ["NameDataclip", "name_dataclips"]


@dataclass(frozen=True)
class NameDataclip(Intent[None]):
    """Gives a dataclip a name, or takes it away (None)."""

    family = "name_dataclip"
    rank = 3
    dataclip_id: Id
    name: str | None


def name_dataclips(transaction: Transaction, intents: Sequence[NameDataclip]) -> list[RecordMissing | None]:
    """Stores names; refused with RecordMissing for a dataclip that is not there."""
    results: list[RecordMissing | None] = []
    for intent in intents:
        named = transaction.connection.changed("dataclip_named", id=intent.dataclip_id, name=intent.name)
        results.append(None if named else RecordMissing(f"dataclip {intent.dataclip_id} does not exist"))
    return results
