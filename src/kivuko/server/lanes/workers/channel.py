"""One topic of one connection: messages are handled in the order they came, whoever sends them and however long one takes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import ParamSpec, TypeVar

from kivuko.server.lanes.workers.reply import Reply, carry_out

__all__ = ["Handled", "InTurn", "Inline"]

P = ParamSpec("P")
T = TypeVar("T")

Handled = Callable[[Future[Reply]], None]
"""Carries out one message and answers the future, at once or later."""


class Inline(Executor):
    """Does work, which may not raise, on the thread that brings it."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Runs the function at once."""
        future: Future[T] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class InTurn:
    """Handles messages one after the other. What takes time goes to the executor, and what comes meanwhile waits behind it."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._guard = threading.Lock()
        self._waiting: deque[tuple[bool, Handled, Future[Reply]]] = deque()
        self._busy = False

    def add(self, slow: bool, handle: Handled) -> Future[Reply]:
        """Takes a message; its answer."""
        future: Future[Reply] = Future()
        with self._guard:
            self._waiting.append((slow, handle, future))
            if self._busy:
                return future
            self._busy = True
        self._go_on(may_wait=False)
        return future

    def _go_on(self, may_wait: bool) -> None:
        while True:
            with self._guard:
                if not self._waiting:
                    self._busy = False
                    return
                if self._waiting[0][0] and not may_wait:
                    break
                _, handle, future = self._waiting.popleft()
            carry_out(future, partial(handle, future))
        self._executor.submit(self._go_on, True)
