"""The one way to write what must last: whatever waits is written in one transaction, and answered after its commit.

Group commit makes ``synchronous=FULL`` cheap: 6 to 12 times the rate of one transaction a request (server-and-data §3).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from kivuko.errors import RecordsUnavailable
from kivuko.records.database import Connection, Database
from kivuko.records.intents import Change, Handlers, Intent, Pending, Transaction, apart, grouped
from kivuko.records.waiting import Waiting

__all__ = ["Committed", "Writer"]

R = TypeVar("R")

PATIENCE_S = 3.0
_BETWEEN_TRIES_S = 0.1
_CLOSING_S = 10.0
_LOOKS_AGAIN_S = 1.0


@dataclass(frozen=True)
class Committed:
    """How many transactions were committed, and how many intents by them: together, what group commit is worth."""

    transactions: int
    intents: int


class Writer:
    """Threads that write: one on SQLite; on PostgreSQL one for what may share a transaction and one for what must be alone.

    A second thread for the same work would not be faster: each transaction costs about as much for one intent as for ten, and both threads
    need the interpreter's lock.

    ``on_commit`` is told what changed, on the writer's thread: it must be quick and may not raise. ``now_us`` replaces the database's
    clock in tests. ``patience_s`` is how long intents wait for a database that is away before their senders hear of it.
    """

    def __init__(
        self,
        database: Database,
        handlers: Handlers,
        *,
        on_commit: Callable[[Sequence[Change]], None] = lambda changes: None,
        now_us: Callable[[], int] | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._on_commit = on_commit
        self._now_us = now_us
        self._patience_s = patience_s
        self._shared = Waiting()
        self._alone = Waiting() if database.alone_apart else self._shared
        self._closing = threading.Event()
        self._problems: dict[str, str] = {}
        self._counting = threading.Lock()
        self._committed = Committed(0, 0)
        queues = dict.fromkeys((self._shared, self._alone))
        self._threads = [
            threading.Thread(target=self._work, args=(queue,), name=f"records-writer-{at}", daemon=True) for at, queue in enumerate(queues)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def problem(self) -> str:
        """Why a writer's last transaction could not be written, for ``/ready``; empty when all were."""
        return next(filter(None, list(self._problems.values())), "")

    @property
    def backlog(self) -> int:
        """How many intents wait."""
        return sum(map(len, dict.fromkeys((self._shared, self._alone))))

    @property
    def quiet_s(self) -> float:
        """How long nothing urgent has been handed over, in seconds."""
        return min(self._shared.quiet_s, self._alone.quiet_s)

    @property
    def committed(self) -> Committed:
        """What was written since the start."""
        return self._committed

    def submit(self, intent: Intent[R], *, bulk: bool = False) -> Future[R]:
        """Hands over an intent. The future gives its result when it is durable, or raises a RecordsError.

        Cancelling the future withdraws an intent that has not begun. Raises RuntimeError inside a write transaction of the calling
        thread, which the writer would wait for, and RecordsUnavailable when closed.
        """
        if self._database.writing_here:
            raise RuntimeError("inside a write transaction nothing may be handed to the writer: it waits for that transaction's end")
        pending = Pending(intent, Future())
        if not (self._alone if intent.alone else self._shared).put(pending, bulk=bulk):
            raise RecordsUnavailable("the records are being closed")
        return pending.future

    def close(self) -> None:
        """Writes what waits, then ends the threads; one that a database does not answer is left alone after a while."""
        self._closing.set()
        self._shared.close()
        self._alone.close()
        until_s = time.monotonic() + self._patience_s + _CLOSING_S
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    def _work(self, waiting: Waiting) -> None:
        connection: Connection | None = None
        name = threading.current_thread().name
        while True:
            batch = waiting.take(_LOOKS_AGAIN_S if self._problems.get(name) else None)
            if batch is None:
                connection = self._look_again(connection)
                continue
            if not batch:
                break
            for part in apart(batch) if self._database.alone_apart and waiting is self._alone else [batch]:
                connection = self._write(connection, part)
        if connection is not None:
            connection.close()

    def _look_again(self, connection: Connection | None) -> Connection | None:
        """After a failure, with nothing to write: nobody may send anything before the database is known to be back."""
        name = threading.current_thread().name
        try:
            connection = connection or self._database.connect()
            connection.begin()
            try:
                connection.commit()
            finally:
                connection.rollback()
        except RecordsUnavailable as error:
            self._problems[name] = error.message
            _abandon(connection)
            return None
        self._problems[name] = ""
        return connection

    def _write(self, connection: Connection | None, batch: Sequence[Pending[Any]]) -> Connection | None:
        give_up_at = time.monotonic() + self._patience_s
        repeated = False
        while True:
            try:
                connection = connection or self._database.connect()
                self._write_together_or_alone(connection, batch, repeated)
            except RecordsUnavailable as error:
                # The outcome is unknown when the connection died at COMMIT; to write the same again does no harm.
                repeated = True
                self._problems[threading.current_thread().name] = error.message
                _abandon(connection)
                connection = None
                batch = [pending for pending in batch if not pending.future.done()]
                if time.monotonic() >= give_up_at or self._closing.wait(_BETWEEN_TRIES_S):
                    _settle_all(batch, [error] * len(batch))
                    return None
            else:
                self._problems[threading.current_thread().name] = ""
                return connection

    def _write_together_or_alone(self, connection: Connection, batch: Sequence[Pending[Any]], repeated: bool) -> None:
        try:
            self._transact(connection, batch, repeated)
        except RecordsUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - the boundary of one intent: its sender hears of it
            if len(batch) == 1:
                _settle_all(batch, [error])
                return
            # One bad intent must not fail its neighbours.
            for pending in batch:
                self._write_together_or_alone(connection, [pending], repeated)

    def _transact(self, connection: Connection, batch: Sequence[Pending[Any]], repeated: bool) -> None:
        settled: list[tuple[Sequence[Pending[Any]], Sequence[Any]]] = []
        connection.begin()
        try:
            messages = frozenset(pending.intent.message_id for pending in batch if pending.intent.message_id)
            transaction = Transaction(connection, self._now_us or connection.now_us, repeated, messages)
            for group in grouped(batch):
                handler = self._handlers[group[0].intent.family]
                settled.append((group, handler(transaction, [pending.intent for pending in group])))
            connection.commit()
            self._count(len(batch))
        finally:
            connection.rollback()
        if transaction.wiped:
            connection.scrub()
        for written, outcomes in settled:
            _settle_all(written, outcomes)
        if transaction.changes:
            self._on_commit(transaction.changes)

    def _count(self, intents: int) -> None:
        with self._counting:
            self._committed = Committed(self._committed.transactions + 1, self._committed.intents + intents)


def _settle_all(batch: Sequence[Pending[Any]], outcomes: Sequence[Any]) -> None:
    for pending, outcome in zip(batch, outcomes, strict=True):
        if not pending.future.done():
            pending.settle(outcome)


def _abandon(connection: Connection | None) -> None:
    if connection is not None:
        connection.close()
