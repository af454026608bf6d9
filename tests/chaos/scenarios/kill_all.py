"""kill -9 of the server and of workers, and crashes of PostgreSQL in between, in any order and at once."""

from __future__ import annotations

import random
import time

from chaos.counting import Ended, count, wait_until_idle
from chaos.crew import Crew
from chaos.ledger import Ledger
from chaos.mending import GIVEN_UP, go_on_with_the_lost
from chaos.place import Place, a_place
from chaos.senders import Flood, Senders
from chaos.tally import Tally
from chaos.target import TargetSystem

__all__ = ["kill_all"]

_FLOOD = Flood(connections=2, pause_s=0.2)
_PATIENCE_S = 300


def kill_all(times: int, seed: int) -> Tally:
    """``times`` rounds; in each the server dies, or a worker or two, or all of them, and every third time PostgreSQL as well."""
    chance, ledger, began = random.Random(seed), Ledger(), time.monotonic()
    with a_place("postgresql", settings={"KIVUKO_WORKER": "false"}) as place, TargetSystem(seed) as target:
        place.start_server()
        place.set_up_project(target.url)
        servers = crashes = 0
        with Crew(place, size=4, slots=3) as crew:
            with Senders(place.inbox_url, ledger, _FLOOD):
                for _ in range(times):
                    time.sleep(0.5 + chance.random() * 1.5)  # paced: a random moment of the work
                    victims = chance.choice(("server", "workers", "both"))
                    crashes += _strike(place, crew, chance, victims)
                    servers += victims != "workers"
                    place.wait_for_server()
                    crew.replace_the_dead()
            crew.replace_all()
            wrong = wait_until_idle(place, _PATIENCE_S)
            given_up, more = go_on_with_the_lost(place, _PATIENCE_S)
            wrong += more + crew.stop()
        code = place.server.stop()
        wrong += [f"the server ended with code {code}"] if code else []
        events = {
            "rounds": times,
            "server kills": servers,
            "worker kills": len(crew.deaths),
            "PostgreSQL crashes": crashes,
            GIVEN_UP: len(given_up),
        }
        return count(place, ledger, target, Ended(events, crew.deaths, wrong, time.monotonic() - began, given_up, outages=True))


def _strike(place: Place, crew: Crew, chance: random.Random, victims: str) -> int:
    """One round; how often PostgreSQL crashed in it."""
    if victims != "workers":
        place.server.kill()
    if victims != "server":
        crew.kill(chance, chance.choice((1, 2)), replaced_within_s=2)
    crashes = chance.random() < 1 / 3
    if crashes and place.postgresql:
        place.postgresql.stop("immediate")
        time.sleep(chance.random())  # paced: how long the database is away
        place.postgresql.start()
    if victims != "workers":
        place.server.start()
    return int(crashes)
