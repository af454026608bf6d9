"""kill -9 of the server, again and again, while senders post and jobs run: on SQLite, everything in one process."""

from __future__ import annotations

import random
import time

from chaos.counting import Ended, count, wait_until_idle
from chaos.deaths import Death, held_by
from chaos.ledger import Ledger
from chaos.mending import GIVEN_UP, go_on_with_the_lost
from chaos.patience import wait_until
from chaos.place import Place, a_place
from chaos.senders import Flood, Senders
from chaos.tally import Tally
from chaos.target import TargetSystem
from kivuko.server.embedded import ALONE

__all__ = ["kill_server"]

_FLOOD = Flood(connections=8, works_every=40)
_PATIENCE_S = 300


def kill_server(times: int, seed: int) -> Tally:
    """Kills the server ``times`` times: mostly a random while into its work, every tenth time while it starts."""
    chance, ledger, began = random.Random(seed), Ledger(), time.monotonic()
    with a_place("sqlite") as place, TargetSystem(seed, slowest_s=0.1) as target:
        place.start_server()
        place.set_up_project(target.url)
        deaths, starting = [], 0
        with Senders(place.inbox_url, ledger, _FLOOD):
            for _ in range(times):
                if chance.random() < 0.1:
                    starting += 1
                    time.sleep(chance.random() * 1.5)  # paced: a random moment of the start
                else:
                    _work_a_while(place, ledger, chance)
                deaths.append(_kill(place))
                place.server.start()
            place.wait_for_server()
            _work_a_while(place, ledger, chance)
        wrong = wait_until_idle(place, _PATIENCE_S)
        given_up, more = go_on_with_the_lost(place, _PATIENCE_S)
        wrong += more
        code = place.server.stop()
        wrong += [f"the server ended with code {code}"] if code else []
        events = {"server kills": times, "of them while it started": starting, GIVEN_UP: len(given_up)}
        return count(place, ledger, target, Ended(events, deaths, wrong, time.monotonic() - began, given_up, outages=True))


def _work_a_while(place: Place, ledger: Ledger, chance: random.Random) -> None:
    place.wait_for_server()
    promised = len(ledger)
    wait_until(lambda: len(ledger) > promised, "nothing is acknowledged any more", 60)
    time.sleep(chance.random() * 0.8)  # paced: a random moment of the work


def _kill(place: Place) -> Death:
    place.server.pause()
    connection = place.database.connect_to_read()
    try:
        held = held_by(connection, ALONE)
    finally:
        connection.close()
    return Death(ALONE, int(place.server.kill() * 1_000_000), held)
