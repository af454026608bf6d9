"""What the machine says to the process: a first signal to stop lets it drain, a second one ends it at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable

__all__ = ["HEARD", "Signals"]

HEARD = (signal.SIGTERM, signal.SIGINT)


def _end(code: int) -> None:
    # Threads and hosts are not waited for: what was acknowledged is on disk, and hosts end when their pipes do.
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


class Signals:
    """Listens in the running event loop, which must be the main thread's, as long as it is entered. ``end`` gets the exit code."""

    def __init__(self, end: Callable[[int], None] = _end) -> None:
        self._end = end
        self._stop = asyncio.Event()
        self.received: signal.Signals | None = None

    def __enter__(self) -> Signals:
        loop = asyncio.get_running_loop()
        for each in HEARD:
            loop.add_signal_handler(each, self._hear, each)
        return self

    def __exit__(self, *problem: object) -> None:
        loop = asyncio.get_running_loop()
        for each in HEARD:
            loop.remove_signal_handler(each)

    async def first(self) -> signal.Signals:
        """The first signal, when it comes."""
        await self._stop.wait()
        assert self.received
        return self.received

    def _hear(self, number: signal.Signals) -> None:
        if self.received:
            self._end(128 + number)
        self.received = number
        self._stop.set()
