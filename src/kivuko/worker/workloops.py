"""Workloops: which queues a worker serves, in which order of preference, with how many slots (worker-protocol §5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kivuko.errors import InputError

__all__ = ["Workloop", "one_workloop", "read_workloops"]

_NAME = re.compile(r"[a-zA-Z0-9_]+")
_EXAMPLE = 'Write it like "fast_lane:1 manual>*:4": queues in order of preference, * only last, and how many at once.'


@dataclass(frozen=True)
class Workloop:
    """Slots that claim from these queues: the first that has something comes first; without ``*`` nothing else is taken."""

    queues: tuple[str, ...]
    slots: int

    def __str__(self) -> str:
        return f"{'>'.join(self.queues)}:{self.slots}"


def one_workloop(capacity: int) -> tuple[Workloop, ...]:
    """What a worker does when nobody says otherwise: what people started by hand first, then everything."""
    return (Workloop(("manual", "*"), capacity),)


def read_workloops(text: str) -> tuple[Workloop, ...]:
    """The workloops that a text names, e.g. ``fast_lane:1 manual>*:4``. Raises InputError."""
    loops = tuple(_read(word) for word in text.split())
    if not loops:
        raise InputError("WORKER_WORKLOOPS names no workloop", fix=_EXAMPLE)
    return loops


def _read(word: str) -> Workloop:
    preference, _, count = word.rpartition(":")
    queues = tuple(preference.split(">"))
    if not count.isdecimal() or int(count) < 1:
        raise InputError(f"The workloop {word} does not say how many slots it has", fix=_EXAMPLE)
    for at, queue in enumerate(queues):
        if not _NAME.fullmatch(queue) and not (queue == "*" and at == len(queues) - 1):
            raise InputError(f"The workloop {word} names the queue {queue or 'without a name'}", fix=_EXAMPLE)
    return Workloop(queues, int(count))
