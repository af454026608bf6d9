"""How many slots of one connection are taken: by claims that may still be joined, and by what was joined and has not ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping

from kivuko.records import JOIN_WITHIN_US, Id

__all__ = ["Slots"]


class Slots:
    """What a connection has claimed and not joined yet, and what of the joined was taken away. May be used on any thread.

    A claim takes its slot for as long as it may be joined: then the desk hands it back, whoever had it.
    """

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._guard = threading.Lock()
        self._claims: dict[Id, tuple[int, float]] = {}
        self._taken_away: set[Id] = set()

    def claimed(self, numbers: Mapping[Id, int]) -> None:
        """Attempts were claimed, by these claim numbers."""
        until = self._monotonic_s() + JOIN_WITHIN_US / 1e6
        with self._guard:
            self._claims.update({attempt_id: (number, until) for attempt_id, number in numbers.items()})
            self._taken_away -= numbers.keys()

    def claim_number(self, attempt_id: Id) -> int:
        """Of what was claimed and not joined yet; 0 for what is not."""
        with self._guard:
            return self._claims.get(attempt_id, (0, 0.0))[0]

    def joined(self, attempt_id: Id) -> None:
        """A claim has become a joined Attempt."""
        with self._guard:
            self._claims.pop(attempt_id, None)
            self._taken_away.discard(attempt_id)

    def freed(self, attempt_ids: Iterable[Id]) -> None:
        """The worker has nothing to do with these any more: refused, left, or given to somebody else."""
        with self._guard:
            for attempt_id in attempt_ids:
                self._claims.pop(attempt_id, None)
                self._taken_away.add(attempt_id)

    def taken(self, under_way: Iterable[Id]) -> int:
        """How many slots are taken, given the Attempts that were joined and have not ended."""
        now = self._monotonic_s()
        with self._guard:
            self._claims = {attempt_id: claim for attempt_id, claim in self._claims.items() if claim[1] > now}
            joined = set(under_way)
            self._taken_away &= joined
            return len(self._claims.keys() | (joined - self._taken_away))
