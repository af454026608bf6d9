"""Where the connections of all workers of a process come together: what they share, who hears of new work and of cancels, what was claimed
and never joined."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import structlog

from kivuko.errors import RecordsError
from kivuko.records import JOIN_WITHIN_US, Abandon, Change, Claimed, HandBack, Id, Intent
from kivuko.server.lanes.workers.services import Services
from kivuko.worker.pulse import keep_doing

if TYPE_CHECKING:
    from kivuko.server.lanes.workers.conversation import Conversation

__all__ = ["Desk"]

R = TypeVar("R")

_READERS = 4
_LOOK_AGAIN_S = 0.5

_log = structlog.get_logger(__name__)


class Desk:
    """Gives the changes of the records (``heard``) to the workers that they concern. ``close`` ends its threads."""

    def __init__(self, services: Services, *, monotonic_s: Callable[[], float] = time.monotonic, join_within_s: float = 0.0) -> None:
        self.services = services
        self.pool = ThreadPoolExecutor(_READERS, thread_name_prefix="workers-desk")
        self.monotonic_s = monotonic_s
        self._join_within_s = join_within_s or JOIN_WITHIN_US / 1e6
        self._guard = threading.Lock()
        self._conversations: tuple[Conversation, ...] = ()
        self._unjoined: dict[tuple[Id, int], float] = {}
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._closing = threading.Event()
        self._chores = threading.Thread(
            target=keep_doing, args=(self.tick, self._closing, _LOOK_AGAIN_S), name="workers-desk-chores", daemon=True
        )
        self._chores.start()

    @property
    def connected(self) -> int:
        """How many workers are connected, for ``/metrics``."""
        return len(self._conversations)

    def close(self) -> None:
        """Ends all conversations and the threads."""
        self._closing.set()
        for conversation in self._conversations:
            conversation.closed()
        self._chores.join()
        self.pool.shutdown()

    def heard(self, changes: Sequence[Change]) -> None:
        """What has changed in the records, right after its commit, on the writer's thread."""
        kinds = {change.kind for change in changes}
        if "queued" in kinds:
            self.work_available()
        if "cancel" in kinds:
            for change in changes:
                if change.kind == "cancel":
                    self._cancel(change.id)

    def work_available(self) -> None:
        """Tells workers with free slots that they may claim (changes of other nodes may have been missed)."""
        for conversation in self._conversations:
            conversation.offer()

    def _cancel(self, attempt_id: Id) -> None:
        for conversation in self._conversations:
            conversation.cancel(attempt_id)

    # Who is there

    def enter(self, conversation: Conversation) -> None:
        """A worker has joined the queue."""
        with self._guard:
            if conversation not in self._conversations:
                self._conversations = (*self._conversations, conversation)

    def leave(self, conversation: Conversation) -> None:
        """A worker is gone."""
        with self._guard:
            self._conversations = tuple(each for each in self._conversations if each is not conversation)

    # What was claimed and never joined

    def claimed(self, taken: Sequence[Claimed]) -> None:
        """Notes claims: each goes back unless its topic is joined in time."""
        until = self.monotonic_s() + self._join_within_s
        with self._guard:
            self._unjoined.update({(each.attempt_id, each.claim_number): until for each in taken})

    def joined(self, attempt_id: Id, claim_number: int) -> None:
        """Its topic was joined."""
        with self._guard:
            self._unjoined.pop((attempt_id, claim_number), None)

    def unclaim(self, taken: Sequence[Claimed]) -> None:
        """Gives back at once what was claimed for a worker that went away meanwhile."""
        for each in taken:
            self.report(HandBack(each.attempt_id, each.claim_number))

    def after(self, delay_s: float, chore: Callable[[], None]) -> None:
        """Does something in a while; not at all when the desk is closed before."""
        with self._guard:
            self._later.append((self.monotonic_s() + delay_s, chore))

    def report(self, intent: Intent[R]) -> None:
        """Hands over something that nobody waits for; when the records are closed already, it is not written."""
        try:
            self.services.records.submit(intent).add_done_callback(_log_failure)
        except RecordsError as error:
            _log.info("a report about an attempt was refused", error=str(error))

    def tick(self) -> None:
        """Does what is due. Called twice a second by the desk's own thread."""
        now = self.monotonic_s()
        with self._guard:
            late = [key for key, until in self._unjoined.items() if until <= now]
            due = [chore for at, chore in self._later if at <= now]
            self._later = [(at, chore) for at, chore in self._later if at > now]
            for key in late:
                del self._unjoined[key]
        for attempt_id, number in late:
            _log.warning("a claimed attempt was not joined in time", attempt=str(attempt_id), claim_number=number)
            self.report(Abandon(attempt_id, number))
        for chore in due:
            chore()


def _log_failure(done: Future[R]) -> None:
    error = done.exception()
    if error is not None:
        _log.info("a report about an attempt was refused", error=str(error))
