"""Wall clocks that jump, forwards and back, each by itself: the server's, the workers', the database's. Nobody may be thought dead."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from chaos.clocks import ShiftedClock, build_shift, during
from chaos.counting import Ended, count, wait_until_idle
from chaos.ledger import Ledger
from chaos.place import Place, a_place
from chaos.program import Program
from chaos.senders import Flood, Senders
from chaos.tally import Tally
from chaos.target import TargetSystem
from kivuko.records import AttemptState

__all__ = ["clock_jumps"]

_FLOOD = Flood(connections=2, pause_s=0.3)
_PARTIES = ("server", "database", "worker-1", "worker-2")
_SHIFTS_S = (-3600, -60, 0, 60, 3600)
_PATIENCE_S = 180


def clock_jumps(times: int, seed: int) -> Tally:
    """Clocks jump ``times`` times, each time one of them, by a minute or an hour to either side."""
    chance, ledger, began = random.Random(seed), Ledger(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kivuko-clocks-") as folder:
        Path(folder).chmod(0o755)
        library = build_shift(Path(folder))
        clocks = {party: ShiftedClock(library, party) for party in _PARTIES}
        settings = {"KIVUKO_WORKER": "false"}
        with (
            during(clocks["database"].environment),
            a_place("postgresql", settings={**settings, **clocks["server"].environment}) as place,
            TargetSystem(seed, slowest_s=1.0) as target,
        ):
            workers = _start(place, target, clocks)
            with Senders(place.inbox_url, ledger, _FLOOD):
                for _ in range(times):
                    time.sleep(0.5 + chance.random() * 2)  # paced: a random moment of the work
                    clocks[chance.choice(_PARTIES)].set(chance.choice(_SHIFTS_S))
            wrong = wait_until_idle(place, _PATIENCE_S) + _lost(place)
            wrong += [f"{each.name} ended with code {code}" for each in (*workers, place.server) if (code := each.stop(90))]
            events = {"jumps": times}
            ended = Ended(events, wrong=wrong, seconds=time.monotonic() - began, one_clock=False)
            return count(place, ledger, target, ended)


def _start(place: Place, target: TargetSystem, clocks: Mapping[str, ShiftedClock]) -> list[Program]:
    place.start_server()
    place.set_up_project(target.url)
    workers = [place.worker(name, settings=clocks[name].environment) for name in _PARTIES if name.startswith("worker")]
    for worker in workers:
        worker.start()
    return workers


def _lost(place: Place) -> list[str]:
    connection = place.database.connect_to_read()
    try:
        ((lost,),) = connection.query("SELECT count(*) FROM attempt WHERE state = ?", int(AttemptState.LOST))
    finally:
        connection.close()
    return [f"{lost} Attempts were lost although nobody had died"] if lost else []
