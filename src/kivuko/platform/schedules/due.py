"""Which ticks are due, and which of those that were missed are made up for (R-034)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from kivuko.workflow.schedules import Schedule, firings

__all__ = ["CAUGHT_UP_AT_MOST", "LATE", "Due", "due_ticks"]

LATE = timedelta(seconds=60)
"""A tick that is looked at later than this was missed: the server was down, or away from its database."""
CAUGHT_UP_AT_MOST = 100
_FIRST_LOOK_BACK = timedelta(hours=2)


@dataclass(frozen=True)
class Due:
    """``made_up`` are missed ticks that are fired after all, oldest first; ``on_time`` is the one that is due just now.

    ``next`` is the first one after now. ``let_go`` counts missed ones that are not made up for, as far back as was looked.
    """

    made_up: tuple[datetime, ...]
    on_time: datetime | None
    next: datetime
    let_go: int


def due_ticks(schedule: Schedule, since: datetime, now: datetime, catch_up: str) -> Due:
    """What is due of a schedule whose next tick was ``since``, with ``catch_up`` ``skip``, ``once`` or ``all`` (at most 100)."""
    ticks = _last_ticks(schedule, since, now, CAUGHT_UP_AT_MOST + 1)
    on_time = ticks[-1] if ticks and now - ticks[-1] < LATE else None
    missed = ticks[:-1] if on_time else ticks
    made_up: Sequence[datetime] = ()
    if catch_up == "all":
        made_up = missed[-CAUGHT_UP_AT_MOST:]
    elif catch_up == "once" and on_time is None:
        # The tick that is due just now is the one, if there is one.
        made_up = missed[-1:]
    return Due(tuple(made_up), on_time, schedule.next_after(now), len(missed) - len(made_up))


def _last_ticks(schedule: Schedule, since: datetime, now: datetime, wanted: int) -> list[datetime]:
    """The last ticks from ``since`` to now, this many or a few more: a year of minutes is not counted through."""
    look_back = _FIRST_LOOK_BACK
    while True:
        begin = max(since, now - look_back)
        found = list(takewhile(lambda at: at <= now, firings(schedule, begin - timedelta(microseconds=1))))
        if begin == since or len(found) >= wanted:
            return found
        look_back *= 2
