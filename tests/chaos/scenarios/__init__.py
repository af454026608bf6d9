"""The scenarios by name: what happens in each, and how often it has to for the promise (issue 4, "Done when")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chaos.scenarios.kill_server import kill_server
from chaos.tally import Tally

__all__ = ["SCENARIOS", "Scenario"]


@dataclass(frozen=True)
class Scenario:
    """``play(times, seed)`` makes the accident happen so often; ``times`` is what was promised."""

    about: str
    times: int
    play: Callable[[int, int], Tally]


SCENARIOS = {
    "kill-server": Scenario("kill -9 of the server under ingest, on SQLite, jobs in the same process", 100, kill_server),
}
