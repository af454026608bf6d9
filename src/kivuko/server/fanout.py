"""What changes on one node, told to the others: by NOTIFY of PostgreSQL, from connections of our own (server-and-data §11).

Never inside the ingest transaction: changes are gathered for 50 ms and told afterwards. What a node may have missed, because its connection
was away or there was too much to tell, it is told as a gap; then pages read again and claims look for work.
"""

from __future__ import annotations

import secrets
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import deque
from collections.abc import Callable, Iterable, Sequence

import psycopg
import structlog

from kivuko.records import Change, Id
from kivuko.records.postgresql_connection import patient_connection
from kivuko.worker.pulse import keep_doing

__all__ = ["Fanout", "read_notice", "write_notices"]

_CHANNEL = "kivuko_changes"
_GATHERED_S = 0.05
_AGAIN_S = 1.0
_ENDS_WITHIN_S = 5.0
_PAYLOAD_BYTES = 7_900
_NOTICES_AT_ONCE = 20
_SHOWN_CHARACTERS = 120
_GAP = "gap"
_CONFIGURATION = "configuration"

_SHORT = {"queued": "q", "cancel": "c", "attempt": "a", "work_order": "w", "message": "m", "run": "r", "log": "l", "workflow": "f"}
_LONG = {short: kind for kind, short in _SHORT.items()}
_NO_PROJECT = "-"

_log = structlog.get_logger(__name__)


class Fanout:
    """Two threads: one tells, one hears. ``on_changes`` gets the changes of others, ``on_gap`` that some may have been missed.

    ``on_configuration`` is told that somebody changed the configuration. ``tell`` and ``tell_configuration`` may be called from any thread.
    """

    def __init__(
        self,
        address: str,
        on_changes: Callable[[Sequence[Change]], None],
        on_gap: Callable[[], None],
        on_configuration: Callable[[], None],
    ) -> None:
        self._address = address
        self._node = secrets.token_hex(4)
        self._on_changes = on_changes
        self._on_gap = on_gap
        self._on_configuration = on_configuration
        self._waiting: deque[Change] = deque()
        self._configuration_changed = False
        self._something = threading.Event()
        self._stopping = threading.Event()
        self._heard: psycopg.Connection | None = None
        self.listening = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep_telling, name="fanout-tell", daemon=True),
            threading.Thread(target=keep_doing, args=(self._keep_hearing, self._stopping, _GATHERED_S), name="fanout-hear", daemon=True),
        ]

    def start(self) -> None:
        """Begins."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Tells what waits and ends; a thread that its database does not answer is left alone after a while."""
        self._stopping.set()
        self._something.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(_ENDS_WITHIN_S)

    def tell(self, changes: Sequence[Change]) -> None:
        """To be subscribed to the hub."""
        relevant = [change for change in changes if change.kind in _SHORT]
        if relevant:
            self._waiting.extend(relevant)
            self._something.set()

    def tell_configuration(self) -> None:
        """Somebody on this node changed the configuration."""
        self._configuration_changed = True
        self._something.set()

    # Telling

    def _keep_telling(self) -> None:
        connection: psycopg.Connection | None = None
        while not self._stopping.is_set() or self._waiting:
            self._something.wait()
            self._something.clear()
            self._stopping.wait(_GATHERED_S)
            notices = self._gathered()
            try:
                connection = connection or patient_connection(self._address)
                for notice in notices:
                    connection.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, notice))
            except psycopg.Error as problem:
                # Others look by themselves: what they were not told they find within seconds.
                _log.warning("changes could not be told to other nodes", reason=str(problem).strip())
                _close(connection)
                connection = None
                self._stopping.wait(_AGAIN_S)
        _close(connection)

    def _gathered(self) -> list[str]:
        changes = []
        while self._waiting:
            changes.append(self._waiting.popleft())
        notices = list(write_notices(self._node, changes))
        if len(notices) > _NOTICES_AT_ONCE:
            notices = [f"{self._node} {_GAP}"]
        if self._configuration_changed:
            self._configuration_changed = False
            notices.append(f"{self._node} {_CONFIGURATION}")
        return notices

    # Hearing

    def _keep_hearing(self) -> None:
        while not self._stopping.is_set():
            try:
                with patient_connection(self._address) as connection:
                    connection.execute(f"LISTEN {_CHANNEL}")
                    # Whatever was told before this is not known here.
                    self._on_gap()
                    self._on_configuration()
                    self.listening.set()
                    self._hear(connection)
            except psycopg.Error as problem:
                self.listening.clear()
                _log.warning("changes of other nodes cannot be heard", reason=str(problem).strip())
                self._stopping.wait(_AGAIN_S)

    def _hear(self, connection: psycopg.Connection) -> None:
        while not self._stopping.is_set():
            for heard in connection.notifies(timeout=_AGAIN_S):
                self._take(heard.payload)
                if self._stopping.is_set():
                    break

    def _take(self, payload: str) -> None:
        node, _, text = payload.partition(" ")
        if node == self._node:
            return
        try:
            self._understand(text)
        except ValueError as problem:
            # Another version's, say. Whatever it has told, pages read it again.
            _log.warning("a notice of another node was passed over", node=node, notice=text[:_SHOWN_CHARACTERS], reason=str(problem))
            self._on_gap()
            self._on_configuration()

    def _understand(self, text: str) -> None:
        if text == _GAP:
            self._on_gap()
        elif text == _CONFIGURATION:
            self._on_configuration()
        else:
            self._on_changes(read_notice(text))


def write_notices(node: str, changes: Iterable[Change]) -> Iterable[str]:
    """The changes as texts that PostgreSQL takes (under 8 000 bytes each), every change once."""
    text = node
    for change in dict.fromkeys(changes):
        word = f" {_SHORT[change.kind]}{_short(change.project_id)}{_short(change.id)}"
        if len(text) + len(word) > _PAYLOAD_BYTES:
            yield text
            text = node
        text += word
    if text != node:
        yield text


def read_notice(text: str) -> list[Change]:
    """The changes of a text without its node; kinds that this version does not know are left out.

    Raises ValueError for what is no notice.
    """
    found = []
    for word in text.split():
        kind, project, changed = _LONG.get(word[:1]), word[1:-22], word[-22:]
        if kind and len(changed) == 22 and project:
            found.append(Change(kind, None if project == _NO_PROJECT else _long(project), _long(changed)))
    return found


def _short(value: Id | None) -> str:
    return urlsafe_b64encode(value).decode("ascii")[:22] if value else _NO_PROJECT


def _long(text: str) -> Id:
    return Id(urlsafe_b64decode(text + "=="))


def _close(connection: psycopg.Connection | None) -> None:
    if connection is not None:
        connection.close()
