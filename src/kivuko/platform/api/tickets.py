"""One-minute tickets for streams: a browser's EventSource cannot send a header (spec/api.md §5)."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable

__all__ = ["StreamTickets"]

_LIVES_S = 60.0
_MOST = 10_000


class StreamTickets:
    """Tickets of this process, each good once. What a ticket stands for is given back as it was handed in."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._guard = threading.Lock()
        self._tickets: dict[bytes, tuple[object, float]] = {}

    def issue(self, holder: object) -> tuple[str, float]:
        """A new ticket for its holder, and for how many seconds it is good."""
        text = f"kvt_{secrets.token_urlsafe(32)}"
        now = self._now_s()
        with self._guard:
            self._tickets = {key: entry for key, entry in self._tickets.items() if entry[1] > now}
            while len(self._tickets) >= _MOST:
                self._tickets.pop(next(iter(self._tickets)))
            self._tickets[_digest(text)] = (holder, now + _LIVES_S)
        return text, _LIVES_S

    def redeem(self, text: str) -> object | None:
        """Whom a ticket was issued to; None when it was used, is too old or never was one."""
        with self._guard:
            holder, until = self._tickets.pop(_digest(text), (None, 0.0))
        return holder if until > self._now_s() else None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
