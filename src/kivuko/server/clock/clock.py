"""The clock of a server: a thread for each chore, so that a mail server that does not answer keeps no lease from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog

from kivuko.errors import KivukoError
from kivuko.records import Election
from kivuko.server.clock.chore import Chore, nothing

__all__ = ["Clock"]

_log = structlog.get_logger(__name__)


class Clock:
    """Does chores until it is stopped. ``at_end`` is called at the end of each chore's thread (to close its connections)."""

    def __init__(self, election: Election, chores: Sequence[Chore], *, at_end: Callable[[], None] = nothing) -> None:
        self._election = election
        self._at_end = at_end
        self._failing: dict[str, str] = {}
        self._stopping = threading.Event()
        self._bells = {chore.name: threading.Event() for chore in chores}
        self._threads = [
            threading.Thread(target=self._keep_doing, args=(chore,), name=f"clock-{chore.name}", daemon=True) for chore in chores
        ]

    def start(self) -> None:
        """Begins."""
        for thread in self._threads:
            thread.start()

    def wake(self, name: str) -> None:
        """Has a chore done now. Any thread may ask; a name that is none is passed over (a server without that chore)."""
        if name in self._bells:
            self._bells[name].set()

    def stop(self, grace_s: float = 10.0) -> None:
        """Ends what is being done, waiting so long for each chore, and lets another node be the one."""
        self._stopping.set()
        for bell in self._bells.values():
            bell.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(grace_s)
        self._election.resign()

    def _keep_doing(self, chore: Chore) -> None:
        bell = self._bells[chore.name]
        while not self._stopping.is_set():
            # Whoever rings while it works is heard after it.
            bell.clear()
            if not self._do(chore) and not self._stopping.is_set():
                bell.wait(chore.every_s)
        self._at_end()

    def _do(self, chore: Chore) -> bool:
        try:
            if not chore.alone or self._election.won():
                more = chore.work()
                self._works(chore)
                return more
            chore.missed()
        except Exception as error:  # noqa: BLE001 - the boundary of a thread: the next second is another chance
            chore.missed()
            self._fails(chore, error)
        return False

    def _fails(self, chore: Chore, error: Exception) -> None:
        """Says it once: a database that is away would fill the log."""
        told = f"{type(error).__name__}: {error}"
        if self._failing.get(chore.name) == told:
            return
        self._failing[chore.name] = told
        if isinstance(error, KivukoError):
            _log.warning("chore_failed", chore=chore.name, error=error.message, fix=error.fix)
        else:
            _log.error("chore_failed", chore=chore.name, exc_info=error)

    def _works(self, chore: Chore) -> None:
        if self._failing.pop(chore.name, None):
            _log.info("chore_works_again", chore=chore.name)
