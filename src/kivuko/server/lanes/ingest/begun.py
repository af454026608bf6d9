"""Waiting that is begun at once: most of it has nothing to wait for, and then needs neither a timer nor a task."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any, Generic, TypeVar

__all__ = ["Begun"]

R = TypeVar("R")


class Begun(Generic[R]):
    """Runs a coroutine (or what else can be awaited), in the current task, to the first place where it has to wait.

    ``over`` says whether it came to its end with ``result``; else awaiting this, once, runs the rest and gives the result. Raises what
    the coroutine raises.
    """

    def __init__(self, awaitable: Awaitable[R]) -> None:
        self.over = False
        self._steps: Generator[Any, Any, R] = awaitable.__await__()
        self._first = True
        try:
            self._waits_for = next(self._steps)
        except StopIteration as end:
            self.over = True
            self.result: R = end.value

    def __await__(self) -> Begun[R]:
        """The rest: the coroutine's own steps, but that what it waits for already comes first."""
        return self

    def __iter__(self) -> Begun[R]:
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        """One step further. Raises StopIteration with the result, as generators do."""
        if self._first:
            self._first = False
            return self._waits_for
        return self._steps.send(value)

    def throw(self, *error: Any) -> Any:
        """One step further by an exception."""
        return self._steps.throw(*error)

    def close(self) -> None:
        """Ends it where it waits."""
        self._steps.close()
