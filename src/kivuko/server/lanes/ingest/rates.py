"""How many requests an address takes: a bucket of tokens for each, filled at a steady rate."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from kivuko.errors import RateLimited
from kivuko.records import Id

__all__ = ["RateLimit", "Rates"]

_MOST_BUCKETS = 10_000


@dataclass(frozen=True)
class RateLimit:
    """``per_s`` requests a second on average, ``burst`` at once."""

    per_s: float
    burst: int


class Rates:
    """The buckets of this process. ``now_s`` is a monotonic clock."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._buckets: OrderedDict[Id, tuple[float, float]] = OrderedDict()

    def take(self, whose: Id, limit: RateLimit | None) -> None:
        """Takes a token. Raises RateLimited when there is none."""
        if limit is None:
            return
        now = self._now_s()
        tokens, at = self._buckets.pop(whose, (float(limit.burst), now))
        tokens = min(limit.burst, tokens + (now - at) * limit.per_s)
        self._buckets[whose] = (max(tokens - 1, 0.0) if tokens >= 1 else tokens, now)
        if len(self._buckets) > _MOST_BUCKETS:
            self._buckets.popitem(last=False)
        if tokens < 1:
            raise RateLimited(
                f"more than {limit.per_s:g} requests a second came for longer than {limit.burst} requests can make up for",
                retry_after_s=(1 - tokens) / limit.per_s,
            )
