"""The scenarios by name: what happens in each, and how often it has to for the promise (issue 4, "Done when")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chaos.scenarios.clock_jumps import clock_jumps
from chaos.scenarios.disk_full import disk_full
from chaos.scenarios.kill_all import kill_all
from chaos.scenarios.kill_server import kill_server
from chaos.scenarios.kill_workers import kill_workers
from chaos.scenarios.partition import partition
from chaos.tally import Tally

__all__ = ["SCENARIOS", "Scenario"]


@dataclass(frozen=True)
class Scenario:
    """``play(times, seed)`` makes the accident happen so often; ``times`` is what was promised.

    ``by_itself``: it changes network or mounts, so it is played in namespaces of its own (needs root).
    """

    about: str
    times: int
    play: Callable[[int, int], Tally]
    by_itself: bool = False


SCENARIOS = {
    "kill-server": Scenario("kill -9 of the server under ingest, on SQLite, jobs in the same process", 100, kill_server),
    "kill-workers": Scenario("kill -9 of workers, several at once and overlapping, on PostgreSQL", 200, kill_workers),
    "kill-all": Scenario("kill -9 of server and workers, PostgreSQL crashing in between", 50, kill_all),
    "partition": Scenario("workers that lose the server and keep running", 20, partition, by_itself=True),
    "disk-full": Scenario("a disk without room, on SQLite", 10, disk_full, by_itself=True),
    "clock-jumps": Scenario("clocks of server, workers and database that jump", 30, clock_jumps),
}
