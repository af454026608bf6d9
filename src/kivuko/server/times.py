"""Times as senders and clients read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["rfc3339"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(at_us: int | None) -> str | None:
    """µs UTC as RFC 3339 with microseconds and ``Z``; None stays None."""
    if at_us is None:
        return None
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
