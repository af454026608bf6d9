"""What senders were promised: every message that the server has acknowledged."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

from kivuko.records import Id

__all__ = ["Ledger", "Promise"]


@dataclass(frozen=True)
class Promise:
    """An acknowledged message: its id, the number its sender gave it, and whether it starts jobs."""

    message_id: Id
    number: int
    works: bool


class Ledger:
    """Filled by senders on many threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._promises: list[Promise] = []
        self._numbers = 0
        self.other_answers: Counter[int] = Counter()
        self.codes: Counter[str] = Counter()
        self.unanswered = 0

    def __len__(self) -> int:
        return len(self._promises)

    @property
    def promises(self) -> list[Promise]:
        """All of them so far."""
        with self._guard:
            return list(self._promises)

    def next_number(self) -> int:
        """A number that no other message has."""
        with self._guard:
            self._numbers += 1
            return self._numbers

    def keep(self, promise: Promise) -> None:
        """Notes what was acknowledged."""
        with self._guard:
            self._promises.append(promise)

    def refused(self, status: int, code: str) -> None:
        """Notes an answer that promises nothing, and why."""
        with self._guard:
            self.other_answers[status] += 1
            self.codes[code] += 1

    def heard_nothing(self) -> None:
        """Notes a request whose connection ended before an answer."""
        with self._guard:
            self.unanswered += 1
