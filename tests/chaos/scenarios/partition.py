"""Workers that lose the server and keep running: cables cut without a word, while jobs go on and the target system stays reachable."""

from __future__ import annotations

import random
import time

from chaos.counting import Ended, count, wait_until_idle
from chaos.deaths import Death, held_by
from chaos.islands import WORLD, Island, lay_cables
from chaos.ledger import Ledger
from chaos.patience import wait_until
from chaos.place import Place, a_place
from chaos.senders import Flood, Senders
from chaos.tally import Tally
from chaos.target import TargetSystem

__all__ = ["partition"]

_FLOOD = Flood(connections=2, pause_s=1.0)
_ISLANDS = 3
_SLOWEST_S = 6.0
_LONG_S = 16.0
"""A cut longer than this surely takes the work away; a worker that is back earlier may go on with it."""
_PATIENCE_S = 300


def partition(times: int, seed: int) -> Tally:
    """Cuts workers off ``times`` times, for 3 to 30 seconds, several at once; one worker is never cut off. Jobs take up to 6 s each."""
    chance, ledger, began = random.Random(seed), Ledger(), time.monotonic()
    lay_cables()
    islands = [Island(number + 1) for number in range(_ISLANDS)]
    with (
        a_place("postgresql", host="0.0.0.0", settings={"KIVUKO_WORKER": "false"}) as place,
        TargetSystem(seed, host=WORLD, slowest_s=_SLOWEST_S) as target,
    ):
        place.start_server()
        place.set_up_project(target.url)
        workers = [place.worker("mainland", slots=12)]
        workers += [
            place.worker(f"island-{at}", url=f"http://{each.server_address}:{place.port}", prefix=each.prefix)
            for at, each in enumerate(islands)
        ]
        for worker in workers:
            worker.start()
        with Senders(place.inbox_url, ledger, _FLOOD):
            _wait_for_work(place)
            deaths = _cut(place, islands, times, chance)
        wrong = wait_until_idle(place, _PATIENCE_S)
        wrong += [f"{worker.name} ended with code {code}" for worker in workers if (code := worker.stop(90))]
        events = {"cuts": times, f"of them longer than {_LONG_S:g} s": len(deaths)}
        return count(place, ledger, target, Ended(events, deaths, wrong, time.monotonic() - began))


def _cut(place: Place, islands: list[Island], times: int, chance: random.Random) -> list[Death]:
    """Cuts and heals, up to all islands at once; the cuts that take work away."""
    deaths: list[Death] = []
    heals: dict[int, float] = {}
    left = times
    while left or heals:
        now = time.monotonic()
        for at in [at for at, due in heals.items() if due <= now]:
            islands[at].heal()
            del heals[at]
        whole = [at for at in range(len(islands)) if at not in heals]
        if left and whole:
            # Every third is short: over before anybody may take the work.
            at, lasts_s = chance.choice(whole), (3 + chance.random() * 9) if left % 3 == 0 else (_LONG_S + chance.random() * 14)
            islands[at].cut()
            if lasts_s > _LONG_S:
                deaths.append(_note(place, f"island-{at}"))
            heals[at] = time.monotonic() + lasts_s
            left -= 1
        time.sleep(1 + chance.random() * 4)  # paced: the time between two cuts
    return deaths


def _note(place: Place, worker: str) -> Death:
    at_us = time.time_ns() // 1000
    connection = place.database.connect_to_read()
    try:
        return Death(worker, at_us, held_by(connection, worker))
    finally:
        connection.close()


def _wait_for_work(place: Place) -> None:
    """Until every worker holds something."""
    connection = place.database.connect_to_read()
    try:
        names = ["mainland", *(f"island-{at}" for at in range(_ISLANDS))]
        wait_until(lambda: all(held_by(connection, name) for name in names), "not every worker has work", 120)
    finally:
        connection.close()
