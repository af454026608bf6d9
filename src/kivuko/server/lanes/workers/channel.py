"""One topic of one connection: messages are handled in the order they came, whoever sends them and however long one takes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future

from kivuko.server.lanes.workers.payloads import Payload
from kivuko.server.lanes.workers.reply import Reply, refusal

__all__ = ["Handled", "Handler", "InTurn", "Inline"]

Handled = Callable[[Future[Reply]], None]
"""Carries out one message and answers the future, at once or later."""

Handler = Callable[[str, Payload], tuple[bool, Handled]]
"""For an event and its payload: whether handling it takes time (reading, compressing), and what does it."""


class Inline(Executor):
    """Does the work on the thread that brings it."""

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        """Runs the function at once."""
        future: Future[object] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as executors do: who waits for the future hears of it
            future.set_exception(error)
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
            try:
                handle(future)
            except Exception as error:  # noqa: BLE001 - the boundary of one message: its worker hears of it
                future.set_result(refusal(error))
        self._executor.submit(self._go_on, True)
