"""What other threads have finished, handed to the event loop: one wake-up for a whole batch, not one for each request.

``asyncio.wrap_future`` wakes the loop once for each future, with a system call and a change of threads; group commit finishes many at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["Outcomes"]

R = TypeVar("R")


class Outcomes:
    """Futures of other threads, awaited in the loop that runs when the first one is."""

    def __init__(self) -> None:
        self._finished: deque[tuple[Future[Any], asyncio.Future[Any]]] = deque()
        self._told = False

    async def of(self, future: Future[R], patience_s: float) -> R:
        """The future's result. Raises what it raises, and TimeoutError; the future itself is not cancelled by that."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[R] = loop.create_future()
        future.add_done_callback(lambda finished: self._tell(loop, finished, waiting))
        # A timer on the future costs a fifth of asyncio.timeout, which has to interrupt the whole task.
        timer = loop.call_later(patience_s, _give_up, waiting)
        try:
            return await waiting
        finally:
            timer.cancel()

    def _tell(self, loop: asyncio.AbstractEventLoop, finished: Future[Any], waiting: asyncio.Future[Any]) -> None:
        # Two threads that get here together tell the loop twice, which does no harm.
        self._finished.append((finished, waiting))
        if not self._told:
            self._told = True
            loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._told = False
        while self._finished:
            finished, waiting = self._finished.popleft()
            if waiting.done():
                continue
            if finished.cancelled():
                waiting.cancel()
            elif error := finished.exception():
                waiting.set_exception(error)
            else:
                waiting.set_result(finished.result())


def _give_up(waiting: asyncio.Future[Any]) -> None:
    if not waiting.done():
        waiting.set_exception(TimeoutError())
