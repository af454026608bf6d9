"""Something that is done again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Chore", "nothing"]


def nothing() -> None:
    """Does nothing."""


@dataclass(frozen=True)
class Chore:
    """``work`` does a little and says whether there is more to do at once; else it is called again after ``every_s``.

    ``alone``: of several nodes one does it. ``missed`` is called when it was not done, because another node does it or something failed.
    """

    name: str
    every_s: float
    work: Callable[[], bool]
    alone: bool = True
    missed: Callable[[], None] = nothing
