"""Pinning what a schedule will start from: retention does not take it (R-024)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kivuko.records.ids import Id
from kivuko.records.intents import Intent, Transaction

__all__ = ["Pin", "pin"]


@dataclass(frozen=True)
class Pin(Intent[None]):
    """Pins a dataclip for a job or workflow, and lets go of the one pinned for it before; None lets go only."""

    family = "pin"
    alone = True
    scope_id: Id
    dataclip_id: Id | None


def pin(transaction: Transaction, pins: Sequence[Pin]) -> list[None]:
    """Stores pins; the last one of a scope counts."""
    for each in sorted({each.scope_id: each for each in pins}.values(), key=lambda each: each.scope_id):
        transaction.connection.change("pins_released", scope_id=each.scope_id)
        if each.dataclip_id is not None:
            transaction.connection.change("dataclip_pinned", id=each.dataclip_id, scope_id=each.scope_id)
    return [None] * len(pins)
