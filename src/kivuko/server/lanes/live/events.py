"""The form of server-sent events (WHATWG HTML §9.2)."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

__all__ = ["AWAKE", "RETRY", "event_text"]

AWAKE = b": awake\n\n"
"""A comment: keeps proxies from closing what says nothing."""

RETRY = b"retry: 2000\n\n"
"""How long a browser waits before it connects again, in ms."""


def event_text(data: Mapping[str, object], *, name: str | None = None, event_id: str | int | None = None) -> bytes:
    """One event. JSON has no line breaks, so its data is one line."""
    head = (f"id: {event_id}\n" if event_id is not None else "") + (f"event: {name}\n" if name else "")
    return head.encode("ascii") + b"data: " + orjson.dumps(data) + b"\n\n"
