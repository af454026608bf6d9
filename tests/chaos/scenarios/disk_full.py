"""A disk that is full, and has room again: on SQLite, in a data folder of a few megabytes."""

from __future__ import annotations

import http.client
import json
import random
import subprocess
import tempfile
import time
from pathlib import Path

from chaos.counting import Ended, count, wait_until_idle
from chaos.islands import wake_loopback
from chaos.ledger import Ledger
from chaos.patience import Impatient, wait_until
from chaos.place import Place, a_place
from chaos.senders import Flood, Senders
from chaos.tally import Tally
from chaos.target import TargetSystem

__all__ = ["disk_full"]

_DISK_MB = 96
_FLOOD = Flood(connections=4, pause_s=0.02, works_every=20)
_RECOVERS_WITHIN_S = 15
_PATIENCE_S = 180


def disk_full(times: int, seed: int) -> Tally:
    """Fills the disk ``times`` times while senders post. They hear 503, ``/ready`` says why, and all goes on when there is room."""
    chance, ledger, began = random.Random(seed), Ledger(), time.monotonic()
    wake_loopback()
    disk = Path(tempfile.mkdtemp(prefix="kivuko-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m", "small-disk", disk], check=True)
    try:
        with a_place("sqlite", data=disk / "data") as place, TargetSystem(seed, slowest_s=0.05) as target:
            place.start_server()
            place.set_up_project(target.url)
            wrong: list[str] = []
            with Senders(place.inbox_url, ledger, _FLOOD):
                for _ in range(times):
                    time.sleep(0.5 + chance.random())  # paced: a random moment of the work
                    wrong += _fill_and_clear(place, ledger, disk / "ballast", chance)
            wrong += wait_until_idle(place, _PATIENCE_S)
            code = place.server.stop()
            wrong += [f"the server ended with code {code}"] if code else []
            ended = Ended({"times full": times}, wrong=wrong, seconds=time.monotonic() - began)
            return count(place, ledger, target, ended)
    finally:
        subprocess.run(["umount", disk], check=False)
        disk.rmdir()


def _fill_and_clear(place: Place, ledger: Ledger, ballast: Path, chance: random.Random) -> list[str]:
    """One time full; sentences about what was not as it should be."""
    _fill(ballast)
    wrong: list[str] = []
    refused = ledger.other_answers[503]
    try:
        wait_until(lambda: ledger.other_answers[503] > refused, "no sender hears 503 while the disk is full", 30)
        wait_until(lambda: bool(_complaint(place)), "/ready does not say why", 10)
    except Impatient as impatient:
        wrong.append(str(impatient))
    time.sleep(chance.random())  # paced: how long it stays full
    ballast.unlink()
    promised = len(ledger)
    try:
        wait_until(lambda: len(ledger) > promised and place.is_ready(), "it does not recover", _RECOVERS_WITHIN_S)
    except Impatient as impatient:
        wrong.append(str(impatient))
    return wrong


def _fill(ballast: Path) -> None:
    """Writes until there is no room for another byte."""
    with ballast.open("ab", buffering=0) as file:
        for piece in (b"x" * 1_000_000, b"x" * 4096, b"x"):
            try:
                while True:
                    file.write(piece)
            except OSError:
                continue


def _complaint(place: Place) -> str:
    """What ``/ready`` says of the database; empty when all is well."""
    connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=10)
    try:
        connection.request("GET", "/ready")
        found: str = json.loads(connection.getresponse().read())["checks"]["database"]
    finally:
        connection.close()
    return "" if found == "ok" else found
