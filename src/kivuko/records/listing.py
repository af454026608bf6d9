"""Lists for people: pages by key, newest first, with filters, and counts that stop at a bound. Never ``count(*)`` over history.

A filter that is not given adds no condition, so the database can use the index that fits what was asked. The modules
``listing_messages``, ``listing_work_orders``, ``listing_runs`` and ``listing_logs`` say which filters there are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kivuko.records.database import Connection
from kivuko.records.ids import Id
from kivuko.records.statements import columns_of
from kivuko.records.tables import table_of

__all__ = ["Conditions", "Keys", "Slice", "contains_text", "count_rows", "first_id_at", "moments", "select_rows"]

R = TypeVar("R")

Keys = Collection[Id] | None
"""Values of a filter: any of these, or None when nothing was asked."""


@dataclass(frozen=True)
class Slice:
    """Which part of a list: at most so many rows, those before (older than) an id."""

    at_most: int
    before: Id | None = None


@dataclass
class Conditions:
    """Conditions that must all hold, and their values in order."""

    texts: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, text: str, *values: Any) -> None:
        """A condition with ``?`` for its values."""
        self.texts.append(text)
        self.values.extend(values)

    def one_of(self, column: str, values: Collection[Any] | None) -> None:
        """The column has one of these values; nothing has one of none."""
        if values is None:
            return
        listed = sorted(values)
        self.add(f"{column} IN ({', '.join('?' * len(listed))})" if listed else "1 = 0", *listed)

    def between(self, column: str, low: Any | None, high: Any | None) -> None:
        """The column is at least ``low`` and less than ``high``, each where given."""
        if low is not None:
            self.add(f"{column} >= ?", low)
        if high is not None:
            self.add(f"{column} < ?", high)

    def before(self, column: str, key: Id | None) -> None:
        """The rest of a list after the page that ended with this key."""
        self.between(column, None, key)

    @property
    def where(self) -> str:
        """The conditions as one text."""
        return " AND ".join(self.texts) or "1 = 1"


def select_rows(connection: Connection, row: type[R], conditions: Conditions, order: str, at_most: int) -> list[R]:
    """Typed rows of one table."""
    table = table_of(row)
    text = f"SELECT {columns_of(table.name)} FROM {table.name} WHERE {conditions.where} ORDER BY {order} LIMIT {int(at_most)}"
    return [table.load(found) for found in connection.query(text, *conditions.values)]


def count_rows(connection: Connection, table: str, conditions: Conditions, at_most: int) -> int:
    """How many rows there are, counted up to ``at_most``."""
    text = f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {conditions.where} LIMIT {int(at_most)}) AS counted"
    ((count,),) = connection.query(text, *conditions.values)
    return int(count)


def contains_text(connection: Connection, column: str, text: str) -> tuple[str, str]:
    """A condition that the column holds the text, whatever its case (SQLite: of A to Z), and the condition's value."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    operator = "LIKE" if connection.dialect == "sqlite" else "ILIKE"
    return f"{column} {operator} ? ESCAPE '\\'", f"%{escaped}%"


def first_id_at(moment_us: int | None) -> Id | None:
    """The least key that can have been made at this moment (µs since 1970): a time as a bound of keys."""
    if moment_us is None:
        return None
    milliseconds, rest = divmod(max(0, min(moment_us, (1 << 48) * 1000 - 1)), 1000)
    fraction = -(-rest * 4096 // 1000)
    return Id((milliseconds << 16 | 0x7000 | fraction).to_bytes(8, "big") + bytes(8))


def moments(after_us: int | None, before_us: int | None) -> Sequence[Id | None]:
    """Two moments as bounds of keys."""
    return first_id_at(after_us), first_id_at(before_us)
