"""Workers on their own, as on other machines: who dies is replaced by somebody with a new name, after a while."""

from __future__ import annotations

import random
import time
from types import TracebackType

from chaos.deaths import Death, held_by
from chaos.patience import wait_until
from chaos.place import Place
from chaos.program import Program

__all__ = ["Crew"]

_READY_WITHIN_S = 90


class Crew:
    """``size`` workers with ``slots`` each. ``deaths`` is what happened to them."""

    def __init__(self, place: Place, size: int, slots: int) -> None:
        self.deaths: list[Death] = []
        self._place, self._size, self._slots = place, size, slots
        self._alive: list[Program] = []
        self._hired = 0
        self._due_s: list[float] = []

    def __enter__(self) -> Crew:
        for _ in range(self._size):
            self._hire()
        wait_until(lambda: self._connected() >= self._size, "the workers do not connect", _READY_WITHIN_S)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for worker in self._alive:
            worker.close()

    def kill(self, chance: random.Random, many: int, replaced_within_s: float) -> int:
        """Kills up to ``many``, each replaced after a random while; how many it were. Two at least stay: somebody needs a free slot."""
        victims = chance.sample(self._alive, min(many, max(0, len(self._alive) - 2)))
        gone_us = [int(victim.kill() * 1_000_000) for victim in victims]
        connection = self._place.database.connect_to_read()
        try:
            for victim, at_us in zip(victims, gone_us, strict=True):
                self.deaths.append(Death(victim.name, at_us, held_by(connection, victim.name)))
        finally:
            connection.close()
        for victim in victims:
            self._alive.remove(victim)
            self._due_s.append(time.monotonic() + chance.random() * replaced_within_s)
        return len(victims)

    def replace_the_dead(self) -> None:
        """Starts the replacements that are due."""
        due = [at for at in self._due_s if at <= time.monotonic()]
        for at in due:
            self._due_s.remove(at)
            self._hire()

    def replace_all(self) -> None:
        """Starts all replacements, due or not."""
        self._due_s = [0.0] * len(self._due_s)
        self.replace_the_dead()

    def stop(self) -> list[str]:
        """SIGTERM to all; a sentence for each that did not end well."""
        ended = {worker.name: worker.stop() for worker in self._alive}
        self._alive = []
        return [f"{name} ended with code {code}" for name, code in ended.items() if code]

    def _hire(self) -> None:
        self._hired += 1
        worker = self._place.worker(f"worker-{self._hired}", slots=self._slots)
        worker.start()
        self._alive.append(worker)

    def _connected(self) -> int:
        connection = self._place.database.connect_to_read()
        try:
            ((count,),) = connection.query("SELECT count(*) FROM worker WHERE name LIKE ?", "worker-%")
            return int(count)
        finally:
            connection.close()
