"""How many requests one token or person may make, and what the answers say about it (RateLimit-* headers)."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Allowance", "RateLimits"]

_MOST_HOLDERS = 10_000


@dataclass(frozen=True)
class Allowance:
    """What is left: ``reset_s`` are the seconds until there is a full allowance again; ``allowed`` says whether this request may go on."""

    limit: int
    remaining: int
    reset_s: int
    allowed: bool

    @property
    def headers(self) -> dict[str, str]:
        """The headers of an answer."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
        }


class RateLimits:
    """Counts requests in windows of a minute, by holder. ``now_s`` is a monotonic clock."""

    def __init__(self, limit: int = 6000, window_s: int = 60, now_s: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._window_s = window_s
        self._now_s = now_s
        self._guard = threading.Lock()
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, holder: str) -> Allowance:
        """Counts a request of this holder."""
        now = self._now_s()
        with self._guard:
            until, count = self._windows.pop(holder, (0.0, 0))
            if until <= now:
                until, count = now + self._window_s, 0
            count += 1
            self._windows[holder] = (until, count)
            if len(self._windows) > _MOST_HOLDERS:
                self._windows.popitem(last=False)
        return Allowance(self._limit, max(0, self._limit - count), math.ceil(until - now), count <= self._limit)
