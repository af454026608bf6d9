"""What has changed in the records, told to everybody in the process who wants to hear it: claims, live pages, waiting senders, caches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog

from kivuko.records import Change

__all__ = ["Changes", "Listener"]

Listener = Callable[[Sequence[Change]], None]

_log = structlog.get_logger(__name__)


class Changes:
    """A hub; all of it may be called from any thread.

    Listeners are called one after the other on the thread of who tells (the records' writer, mostly): they must be quick.
    """

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._own_only: tuple[Listener, ...] = ()
        self._remote: tuple[Callable[[], None], ...] = ()
        self._guard = threading.Lock()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Adds a listener; what comes out ends its subscription."""
        with self._guard:
            self._listeners = (*self._listeners, listener)
        return lambda: self._remove(listener)

    def subscribe_to_own(self, listener: Listener) -> None:
        """Adds a listener for what this process changed, not for what it heard of others."""
        with self._guard:
            self._own_only = (*self._own_only, listener)

    def on_gap(self, told: Callable[[], None]) -> None:
        """``told`` is called when changes of other nodes may have been missed: what is shown has to be read again."""
        with self._guard:
            self._remote = (*self._remote, told)

    def heard(self, changes: Sequence[Change]) -> None:
        """Tells all listeners: to be given to ``Records`` as ``on_change``."""
        for listener in (*self._own_only, *self._listeners):
            _tell(listener, changes)

    def heard_elsewhere(self, changes: Sequence[Change]) -> None:
        """Tells listeners what another node has changed."""
        for listener in self._listeners:
            _tell(listener, changes)

    def missed(self) -> None:
        """Changes may have been missed."""
        for told in self._remote:
            _guarded(told)

    def _remove(self, listener: Listener) -> None:
        with self._guard:
            self._listeners = tuple(each for each in self._listeners if each is not listener)


def _tell(listener: Listener, changes: Sequence[Change]) -> None:
    _guarded(lambda: listener(changes))


def _guarded(told: Callable[[], None]) -> None:
    try:
        told()
    except Exception:  # noqa: BLE001  # one bad listener may neither end the thread that tells nor silence the others
        _log.exception("a listener of changes failed")
