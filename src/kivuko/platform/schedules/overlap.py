"""What happens to a tick while an earlier one is still under way (server-and-data §8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kivuko.platform.schedules.due import CAUGHT_UP_AT_MOST, Due
from kivuko.platform.schedules.firings import at_us

__all__ = ["Line", "line_up"]


@dataclass(frozen=True)
class Line:
    """The ticks that wait (µs, oldest first), how many were let go, and whether what is under way is to be cancelled."""

    waiting: tuple[int, ...]
    let_go: int
    cancels: bool = False


def line_up(overlap: str, waiting: Sequence[int], due: Due, *, busy: bool, catch_up: str) -> Line:
    """Who waits once these ticks are due. ``busy``: an Attempt of the trigger is unfinished.

    ``allow``: all start. ``queue``: one may wait for the one before it. ``skip``: none. ``replace``: the newest, and the others are
    cancelled. Ticks that are made up for wait for each other in any case, but with ``allow``.
    """
    line = [*waiting, *(at_us(tick) for tick in due.made_up)]
    if due.on_time is None:
        return Line(tuple(line), due.let_go)
    tick = at_us(due.on_time)
    if overlap == "replace":
        return Line((tick,), due.let_go + len(line), cancels=busy)
    room = CAUGHT_UP_AT_MOST if catch_up == "all" else 1
    refused = {"allow": False, "skip": busy or bool(line), "queue": len(line) >= room}[overlap]
    return Line(tuple(line), due.let_go + 1) if refused else Line((*line, tick), due.let_go)
