"""Senders: real HTTP connections that post as long as they are let, and come again when the server goes away."""

from __future__ import annotations

import http.client
import json
import threading
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urlsplit

from chaos.ledger import Ledger, Promise
from kivuko.records import Id

__all__ = ["Flood", "Senders"]

_FILLER = "so that a message has about two kilobytes. " * 42
_AWAY_S = 0.05


@dataclass(frozen=True)
class Flood:
    """How much is sent: by how many connections, with which pause after each answer, every how manieth starts jobs, how many at most."""

    connections: int = 8
    pause_s: float = 0.0
    works_every: int = 1
    at_most: int | None = None


class Senders:
    """Post to an inbox while the context lasts; what was acknowledged is in the ledger."""

    def __init__(self, url: str, ledger: Ledger, flood: Flood) -> None:
        self._address, self._path = urlsplit(url).netloc, urlsplit(url).path
        self._ledger, self._flood = ledger, flood
        self._enough = threading.Event()
        self._threads = [threading.Thread(target=self._send_all, daemon=True) for _ in range(flood.connections)]

    def __enter__(self) -> Senders:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """No more is sent; waits for the answers that are due."""
        self._enough.set()
        self.join()

    def join(self) -> None:
        """Waits until all was sent (``at_most``) or ``stop`` was called."""
        for thread in self._threads:
            thread.join()

    def _send_all(self) -> None:
        connection: http.client.HTTPConnection | None = None
        while not self._enough.is_set():
            number = self._ledger.next_number()
            if self._flood.at_most is not None and number > self._flood.at_most:
                return
            connection = connection or http.client.HTTPConnection(self._address, timeout=60)
            pause_s = self._flood.pause_s
            try:
                self._send(connection, number)
            except (OSError, http.client.HTTPException, ValueError):
                # No answer, or half of one: nothing was promised.
                self._ledger.heard_nothing()
                connection.close()
                connection = None
                pause_s = max(pause_s, _AWAY_S)
            self._enough.wait(pause_s)

    def _send(self, connection: http.client.HTTPConnection, number: int) -> None:
        works = number % self._flood.works_every == 0
        body = json.dumps({"number": number, "works": works, "filler": _FILLER})
        connection.request("POST", self._path, body, {"content-type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status == 202:
            self._ledger.keep(Promise(Id.parse(json.loads(content)["message_id"]), number, works))
        else:
            self._ledger.refused(answer.status, str(json.loads(content).get("detail")))
            self._enough.wait(_AWAY_S)
