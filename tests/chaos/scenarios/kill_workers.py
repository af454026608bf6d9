"""kill -9 of several workers at once, again before the work of the last ones has gone on, on PostgreSQL."""

from __future__ import annotations

import random
import time

from chaos.counting import Ended, count, wait_until_idle
from chaos.crew import Crew
from chaos.ledger import Ledger
from chaos.mending import GIVEN_UP, go_on_with_the_lost
from chaos.place import a_place
from chaos.senders import Flood, Senders
from chaos.tally import Tally
from chaos.target import TargetSystem

__all__ = ["kill_workers"]

_FLOOD = Flood(connections=2, pause_s=0.6)
_PATIENCE_S = 300


def kill_workers(times: int, seed: int) -> Tally:
    """Kills ``times`` workers of five, one to three at once; all that they had begun goes on with the others."""
    chance, ledger, began = random.Random(seed), Ledger(), time.monotonic()
    with (
        a_place("postgresql", settings={"KIVUKO_WORKER": "false"}) as place,
        TargetSystem(seed) as target,
    ):
        place.start_server()
        place.set_up_project(target.url)
        with Crew(place, size=5, slots=3) as crew:
            at_once = 0
            with Senders(place.inbox_url, ledger, _FLOOD):
                while len(crew.deaths) < times:
                    time.sleep(0.3 + chance.random() * 1.5)  # paced: a random moment of the work
                    killed = crew.kill(chance, min(chance.choice((1, 1, 2, 3)), times - len(crew.deaths)), replaced_within_s=2)
                    at_once += killed > 1
                    crew.replace_the_dead()
            crew.replace_all()
            wrong = wait_until_idle(place, _PATIENCE_S)
            given_up, more = go_on_with_the_lost(place, _PATIENCE_S)
            wrong += more + crew.stop()
        code = place.server.stop()
        wrong += [f"the server ended with code {code}"] if code else []
        events = {"worker kills": times, "times several at once": at_once, GIVEN_UP: len(given_up)}
        return count(place, ledger, target, Ended(events, crew.deaths, wrong, time.monotonic() - began, given_up))
