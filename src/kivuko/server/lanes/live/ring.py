"""The last changes of the process, for pages that were away for a moment."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass

from kivuko.records import Id

__all__ = ["KEPT", "Happened", "Ring"]

KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Happened:
    """Something changed. ``number`` counts up in this process; ``at_us`` is when it was heard."""

    number: int
    project_id: Id
    kind: str
    id: Id
    at_us: int


class Ring:
    """Lives in one event loop. An event's name is the process's and its number: a page of another process has to begin anew."""

    def __init__(self, kept: int = KEPT) -> None:
        self._process = secrets.token_hex(4)
        self._events: deque[Happened] = deque(maxlen=kept)
        self._next = 1

    @property
    def last_name(self) -> str:
        """The name of the newest event, or of none yet."""
        return self.name_of(self._next - 1)

    def name_of(self, number: int) -> str:
        """What a page gets as ``id`` and gives back as ``Last-Event-ID``."""
        return f"{self._process}-{number}"

    def add(self, project_id: Id, kind: str, changed: Id, at_us: int) -> Happened:
        """Keeps a change."""
        event = Happened(self._next, project_id, kind, changed, at_us)
        self._next += 1
        self._events.append(event)
        return event

    def after(self, name: str, project_id: Id) -> list[Happened] | None:
        """What has changed in a project since the event of this name; None when that is not known any more."""
        process, _, digits = name.partition("-")
        if process != self._process or not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
            return None
        number = int(digits)
        if number >= self._next or (self._events and number < self._events[0].number - 1):
            return None
        return [event for event in self._events if event.number > number and event.project_id == project_id]
