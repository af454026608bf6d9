"""The time that a whole Attempt has."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Deadline"]

_NS_PER_MS = 1_000_000


class Deadline:
    """Counts down from ``limit_ms``; without a limit it never ends."""

    def __init__(self, limit_ms: int | None, monotonic_ns: Callable[[], int]) -> None:
        self.limit_ms: int | None = None
        self._monotonic_ns = monotonic_ns
        self._end_ns: int | None = None
        if limit_ms is not None:
            self.allow(limit_ms)

    def allow(self, duration_ms: int) -> None:
        """Starts again, with ``duration_ms`` from now."""
        self.limit_ms = duration_ms
        self._end_ns = self._monotonic_ns() + duration_ms * _NS_PER_MS

    def remaining_ms(self) -> int | None:
        """What is left, not below 0; None without a limit."""
        return None if self._end_ns is None else max(0, (self._end_ns - self._monotonic_ns()) // _NS_PER_MS)

    def extend(self, duration_ns: int) -> None:
        """Does not count a time that was spent waiting."""
        if self._end_ns is not None:
            self._end_ns += duration_ns

    def is_over(self) -> bool:
        """Whether the time is up."""
        return self.remaining_ms() == 0

    def shorten(self, timeout_ms: int | None) -> tuple[int | None, bool]:
        """What a Run with its own limit has, and whether it is the Attempt's time that bounds it."""
        remaining = self.remaining_ms()
        if remaining is None or (timeout_ms is not None and timeout_ms <= remaining):
            return timeout_ms, False
        return remaining, True
