"""What the records ask of a database. ``records.sqlite`` and ``records.postgresql`` give it; one conformance suite holds both to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol, TypeVar

from kivuko.records.statements import Dialect

__all__ = ["Asked", "Conflict", "Connection", "Database"]

R = TypeVar("R")


class Conflict(Enum):
    """What happens to a row whose key is there already."""

    KEEP = "keep"
    """The stored row stays (an insert that is repeated changes nothing)."""
    REPLACE = "replace"
    """All its columns are replaced."""


@dataclass(frozen=True)
class Asked:
    """A named statement whose rows are wanted: typed rows of ``row``'s table, or tuples where there is none."""

    statement: str
    values: Mapping[str, Any] = field(default_factory=dict)
    row: type[Any] | None = None


class Connection(Protocol):
    """One connection with one transaction at a time. Not for use by two threads at once.

    Every method raises ``RecordsUnavailable`` when the database cannot be reached or written to just now.
    """

    dialect: Dialect

    def begin(self) -> None:
        """Opens a transaction that will write; waits for its turn."""

    def commit(self) -> None:
        """Makes the transaction durable: after this a power cut takes nothing of it away."""

    def rollback(self) -> None:
        """Undoes the transaction; does nothing when there is none, as after a commit."""

    def fetch(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """The rows of the named statement, in column order; ids come as ``Id`` or as 16 bytes."""

    def load(self, row: type[R], statement: str, **values: Any) -> list[R]:
        """The rows of a named statement that selects all columns (``{table}``) of one table."""

    def together(self, *asked: Asked) -> list[list[Any]]:
        """The rows of several statements that do not depend on each other's, executed in order: one wait for all of them.

        Each sees what was committed before it begins, as if it were asked for alone.
        """

    def change(self, statement: str, **values: Any) -> None:
        """Executes the named statement. What goes wrong may be raised as late as by the commit."""

    def changed(self, statement: str, **values: Any) -> int:
        """Executes the named statement; how many rows it changed."""

    def write(self, rows: Iterable[Any], conflict: Conflict = Conflict.KEEP) -> None:
        """Inserts rows of one class, in key order and the last of each key only. An empty iterable does nothing."""

    def write_all(self, batches: Iterable[tuple[Iterable[Any], Conflict]]) -> None:
        """``write`` for several classes of rows: no row may be in two batches."""

    def scrub(self) -> None:
        """After a commit that wiped bodies: takes what can be taken of their copies out of the database's files."""

    def now_us(self) -> int:
        """The database's clock, µs since 1970."""

    def script(self, text: str) -> None:
        """Executes several statements without parameters, inside the open transaction (schema files)."""

    def query(self, text: str, *values: Any) -> Sequence[tuple[Any, ...]]:
        """Executes one statement of the schema's own housekeeping, with ``?`` for values."""

    def close(self) -> None:
        """Gives the connection back; an open transaction is undone."""


class Database(Protocol):
    """Where the records are: opens connections to it."""

    dialect: Dialect
    alone_apart: bool
    """Whether what must be ``alone`` in its transaction has a writer of its own: on PostgreSQL; on SQLite one thread writes everything."""

    @property
    def writing_here(self) -> bool:
        """Whether the calling thread is inside a write transaction that the writer would have to wait for."""

    def connect(self) -> Connection:
        """A connection that may write. Raises ``RecordsUnavailable``."""

    def connect_to_read(self) -> Connection:
        """A connection that only reads. Raises ``RecordsUnavailable``."""
