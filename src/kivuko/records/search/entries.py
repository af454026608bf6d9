"""What stands in the index."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

from kivuko.records.ids import Id

__all__ = ["Entry", "EntryKind", "Place"]


class EntryKind(IntEnum):
    """What kind of text was found. A number is stored: never reuse one."""

    BODY = 0
    HEADERS = 1
    LOG = 2


@dataclass(frozen=True)
class Place:
    """Where a text stands: a version of a message (``first`` = ``last`` = its number), or lines of a Run's log (``seq`` from … to).

    ``owner_id`` is the message, or the Attempt of the log; ``subject_id`` the message or the Run (of lines beside Runs: the Attempt).
    """

    subject_id: Id
    owner_id: Id
    first: int
    last: int


@dataclass(frozen=True)
class Entry:
    """The words of one place."""

    kind: EntryKind
    project_id: Id
    place: Place
    words: Collection[str]
