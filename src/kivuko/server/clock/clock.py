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
                return chore.work()
            chore.missed()
        except KivukoError as error:
            chore.missed()
            _log.warning("chore_failed", chore=chore.name, error=error.message, fix=error.fix)
        except Exception:  # noqa: BLE001 - the boundary of a thread: the next second is another chance
            chore.missed()
            _log.exception("chore_failed", chore=chore.name)
        return False
