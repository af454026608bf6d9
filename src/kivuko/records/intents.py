"""What is asked of the writer: typed values, and how many of them are carried out in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

from kivuko.records.database import Connection
from kivuko.records.ids import Id

__all__ = ["Change", "Handler", "Handlers", "Intent", "Pending", "Transaction", "apart", "grouped"]

R = TypeVar("R")


class Intent(Generic[R]):
    """Something to be written; ``R`` is what its future gives. Subclasses are frozen dataclasses.

    Every intent may be carried out twice (a connection that dies at COMMIT leaves its outcome unknown), so it brings the ids of what it
    inserts, and a second time changes nothing.
    """

    family: ClassVar[str]
    """Intents of one family are carried out together, by the family's handler."""
    rank: ClassVar[int] = 2
    """Families of a lower rank go first in a transaction: the order of the locks (server-and-data §3)."""
    alone: ClassVar[bool] = False
    """Whether the family gets transactions and a writer of its own, where the database can write two at once: its locks fit into no common
    order. No intent of such a family has a key.
    """

    @property
    def key(self) -> Id | None:
        """Intents with the same key (an Attempt's) are carried out in the order they came."""
        return None

    @property
    def ends_key(self) -> bool:
        """Whether all that waits for ``key`` in the bulk queue must be written before this."""
        return False

    @property
    def message_id(self) -> Id | None:
        """The message that will be locked, if it is known beforehand: all messages of a transaction are locked by one statement."""
        return None

    @property
    def size_bytes(self) -> int:
        """About how much will be written."""
        return 512


@dataclass(frozen=True)
class Change:
    """Something others may want to read again: told after the commit, to live pages, the claim and caches."""

    kind: str
    project_id: Id | None
    id: Id


@dataclass
class Transaction:
    """An open transaction. ``clock`` gives its time in µs: it is read once, when somebody asks first.

    ``repeated`` says that an earlier try ended with an unknown outcome: all of it may be written already, and changed since.
    ``message_ids`` are the messages that its intents will lock: whoever locks messages first locks these too.
    ``wiped`` is set by who takes bodies away that nobody may find in the files any more.
    """

    connection: Connection
    clock: Callable[[], int]
    repeated: bool = False
    message_ids: frozenset[Id] = frozenset()
    changes: list[Change] = field(default_factory=list)
    wiped: bool = False

    @cached_property
    def now_us(self) -> int:
        """The database's time, the same for all intents of the transaction."""
        return self.clock()

    def tell(self, kind: str, project_id: Id | None, changed: Id) -> None:
        """Notes what is to be told once the transaction is durable."""
        self.changes.append(Change(kind, project_id, changed))


Handler = Callable[[Transaction, Sequence[Any]], Sequence[Any]]
"""Carries out intents of one family: a result for each, in order; a ``RecordsError`` as result refuses that intent alone."""

Handlers = Mapping[str, Handler]


@dataclass(eq=False)
class Pending(Generic[R]):
    """An intent that waits for its turn, and the future of who waits for it."""

    intent: Intent[R]
    future: Future[R]

    def settle(self, outcome: R | BaseException) -> None:
        """Gives the waiting side its result, or its refusal."""
        if isinstance(outcome, BaseException):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


def apart(batch: Sequence[Pending[Any]]) -> list[list[Pending[Any]]]:
    """The batch in parts of one family each, for those that must be alone."""
    parts: dict[str, list[Pending[Any]]] = {}
    for pending in batch:
        parts.setdefault(pending.intent.family, []).append(pending)
    return list(parts.values())


def grouped(batch: Sequence[Pending[Any]]) -> list[list[Pending[Any]]]:
    """The batch in groups of one family each, as few as possible without reordering the intents of one key."""
    groups: list[list[Pending[Any]]] = []
    families: list[str] = []
    last_group: dict[Id, int] = {}
    for pending in sorted(batch, key=lambda each: each.intent.rank):
        intent = pending.intent
        earliest = last_group.get(intent.key, 0) if intent.key else 0
        at = next((at for at in range(earliest, len(groups)) if families[at] == intent.family), len(groups))
        if at == len(groups):
            groups.append([])
            families.append(intent.family)
        groups[at].append(pending)
        if intent.key:
            last_group[intent.key] = at
    return groups
