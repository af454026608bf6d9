"""An engine for many threads: its loop turns in a thread of its own, and every method may be called from any thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from kivuko.engines.engine import Engine
from kivuko.engines.errand import Errand
from kivuko.engines.host import Profile
from kivuko.engines.run import HostKey
from kivuko.engines.settings import EngineSettings
from kivuko.engines.supervisor import Supervisor
from kivuko.errors import EngineClosed, EngineError, KivukoError

__all__ = ["ServedEngine"]


class ServedEngine(Engine):
    """Executes Runs for many threads at once, as many as it has hosts. A context manager: leaving it ends all hosts.

    ``on_log``, ``on_done`` and ``write`` are called on the engine's own thread: they must be quick, may ask the engine nothing, and what
    they raise ends the engine.
    """

    def __init__(self, settings: EngineSettings | None = None) -> None:
        chosen = settings or EngineSettings()
        super().__init__(chosen, _ServedSupervisor(chosen))

    def close(self) -> None:
        """Ends all hosts and the thread; who waits gets EngineClosed."""
        self._supervisor.close()


class _ServedSupervisor(Supervisor):
    """Takes errands and orders from any thread and works on them in its own. Hosts follow the thread that starts them (PDEATHSIG)."""

    def __init__(self, settings: EngineSettings) -> None:
        super().__init__(settings)
        self._orders: deque[Callable[[], None]] = deque()
        self._stopping = False
        self._thread = threading.Thread(target=self._serve_all, name="engine", daemon=True)
        self._thread.start()

    def complete(self, errand: Errand) -> Errand:
        """Waits until the errand is done. Raises its problem, or EngineClosed."""
        if threading.current_thread() is self._thread:
            raise EngineError("The engine was asked something by a callback that it is calling", fix="Ask after the callback has returned.")
        done = threading.Event()
        errand.on_done = lambda _: done.set()
        self.add(errand)
        self.wake()
        if self.closed:  # between our look and theirs: nobody serves what came after the end
            raise EngineClosed
        done.wait()
        if errand.problem is not None:
            raise errand.problem
        return errand

    def prepare(self, key: HostKey, profile: Profile, attempt: str) -> None:
        """Has a host for ``key`` started. One that does not start is no problem yet: whoever needs it meets the same and tells."""
        self._order(lambda: _try(lambda: super(_ServedSupervisor, self).prepare(key, profile, attempt)))

    def end(self, attempt: str) -> None:
        """Has the hosts of an Attempt rest."""
        self._order(lambda: super(_ServedSupervisor, self).end(attempt))

    def close(self) -> None:
        """Ends all hosts, then the thread; who waits gets EngineClosed."""
        self._stopping = True
        self.wake()
        self._thread.join()

    def _order(self, order: Callable[[], None]) -> None:
        if self.closed:
            return
        self._orders.append(order)
        self.wake()

    def _serve_all(self) -> None:
        try:
            while not self._stopping:
                while self._orders:
                    self._orders.popleft()()
                self.turn()
        finally:
            super().close()


def _try(prepare: Callable[[], None]) -> None:
    try:
        prepare()
    except KivukoError:
        return
