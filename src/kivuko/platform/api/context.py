"""What the API needs of the process it runs in: set once at start, by the server or a test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from kivuko.platform.api.rates import RateLimits
from kivuko.platform.api.tickets import StreamTickets
from kivuko.records import Id, Intent, Records

__all__ = ["Finder", "Platform", "platform", "use", "write"]

R = TypeVar("R")

_PATIENCE_S = 30.0


class Finder(Protocol):
    """Finds what holds a text, newest first: ``kivuko.records.search.Finder``."""

    def messages(self, project_id: Id, text: str, before: Id | None = None, *, headers: bool = False) -> Iterator[Id]:
        """Messages whose body (or headers) holds the text."""

    def runs(self, project_id: Id, text: str, before: Id | None = None) -> Iterator[Id]:
        """Runs whose log holds the text."""


def _now_us() -> int:
    return time.time_ns() // 1000


@dataclass(frozen=True)
class Platform:
    """The process's parts. ``public_url`` has no slash at its end; ``finder`` is None where nothing is indexed."""

    records: Records
    public_url: str
    finder: Finder | None = None
    tickets: StreamTickets = field(default_factory=StreamTickets)
    rates: RateLimits = field(default_factory=RateLimits)
    now_us: Callable[[], int] = _now_us


_in_use: list[Platform] = []


def use(found: Platform) -> None:
    """Makes this the platform of the process."""
    _in_use[:] = [found]


def platform() -> Platform:
    """The platform of the process. Raises RuntimeError before ``use``."""
    if not _in_use:
        raise RuntimeError("kivuko.platform.api.context.use has not been called")
    return _in_use[0]


def write(intent: Intent[R]) -> R:
    """Hands an intent to the records and waits until it is durable. Raises RecordsError when it is refused."""
    return platform().records.submit(intent).result(_PATIENCE_S)
