"""The server's process: the lanes that are about rate, the bridge to Django, the clock, start and stop."""

from __future__ import annotations

__all__ = []
