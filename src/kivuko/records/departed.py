"""Workers that left and never came back: their rows go, or every pod that ever ran would be listed for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kivuko.records.intents import Intent, Transaction

__all__ = ["ForgetWorkers", "forget_workers"]

_AT_MOST = 500


@dataclass(frozen=True)
class ForgetWorkers(Intent[int]):
    """Deletes workers not seen since ``before_us`` that hold nothing; how many. Submitted again until it gives 0."""

    family = "forget_workers"
    alone = True
    before_us: int


def forget_workers(transaction: Transaction, intents: Sequence[ForgetWorkers]) -> list[int]:
    """Deletes a batch for each intent. Runs keep the worker's id, and name nobody any more."""
    return [len(transaction.connection.fetch("workers_forgotten", before_us=intent.before_us, at_most=_AT_MOST)) for intent in intents]
