"""The states in which an Attempt ends, put together without parsing them (jobs-and-runtime §2.4)."""

from __future__ import annotations

import json

__all__ = ["Leaves", "is_truthy"]

_FALSY = frozenset({b"", b"null", b"false", b"0", b"-0", b'""'})


def is_truthy(state: bytes | None) -> bool:
    """Whether a state, as JSON, is one in the eyes of JavaScript: there, and not null, false, 0 or an empty text."""
    return state is not None and (len(state) > 32 or state.strip() not in _FALSY)


class Leaves:
    """Collects the states of steps after which nothing follows, under the step's id, then ``id-1``, ``id-2`` …"""

    def __init__(self) -> None:
        self._states: dict[str, bytes] = {}

    def add(self, step: str, state: bytes | None) -> None:
        """Keeps a state; one that is falsy is no leaf."""
        if state is None or not is_truthy(state):
            return
        name, repetition = step, 0
        while name in self._states:
            repetition += 1
            name = f"{step}-{repetition}"
        self._states[name] = state

    def clear(self) -> None:
        """Forgets all."""
        self._states.clear()

    def by_name(self) -> dict[str, bytes]:
        """All leaves, in the order in which they came."""
        return dict(self._states)

    def joined(self) -> bytes | None:
        """None without leaves, the state of a single one, else a JSON object of all."""
        if len(self._states) < 2:
            return next(iter(self._states.values()), None)
        members = (json.dumps(name, ensure_ascii=False).encode() + b":" + state for name, state in self._states.items())
        return b"{" + b",".join(members) + b"}"
