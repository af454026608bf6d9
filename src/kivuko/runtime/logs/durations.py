"""Durations as OpenFn's logs write them."""

from __future__ import annotations

__all__ = ["duration_text"]


def duration_text(duration_ms: float) -> str:
    """``8ms``, ``1.533s``, ``2m 3.5s``."""
    whole_ms = round(duration_ms)
    if whole_ms < 1000:
        return f"{whole_ms}ms"
    if whole_ms < 60_000:
        return f"{_trimmed(whole_ms / 1000, 3)}s"
    minutes, rest_ms = divmod(round(whole_ms, -2), 60_000)
    return f"{minutes}m {_trimmed(rest_ms / 1000, 1)}s"


def _trimmed(seconds: float, digits: int) -> str:
    return f"{seconds:.{digits}f}".rstrip("0").rstrip(".")
