"""What the databases are told about the hot tables: names, columns, kinds and keys, read off the row classes."""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum, IntFlag
from functools import partial
from operator import attrgetter
from types import NoneType
from typing import Any, Generic, TypeVar

from kivuko.records import rows
from kivuko.records.ids import Id

__all__ = ["TABLES", "Column", "Table", "table_of"]

R = TypeVar("R")


@dataclass(frozen=True)
class Column:
    """A column: its Python type (Id, int, str, bytes or an enumeration) and whether it may be null."""

    name: str
    type: type
    nullable: bool

    @property
    def is_enumeration(self) -> bool:
        """Whether the column stores the number of an enumeration's member."""
        return issubclass(self.type, IntEnum | IntFlag)


@dataclass(frozen=True, eq=False)
class Table(Generic[R]):
    """A hot table: ``row`` is the class of its rows, ``key`` the primary key's columns; ``key_of`` reads a row's key.

    ``reads`` are the columns, by place, whose values have to be made typed ones.
    """

    name: str
    row: type[R]
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    values: Callable[[R], tuple[Any, ...]]
    key_of: Callable[[R], Any]

    reads: tuple[tuple[int, Callable[[Any], Any]], ...]

    def load(self, values: Sequence[Any]) -> R:
        """The row with these values, in the order of the columns, as the database gave them."""
        typed = list(values)
        for at, read in self.reads:
            if typed[at] is not None:
                typed[at] = read(typed[at])
        return self.row(*typed)


def _reader(column: Column) -> Callable[[Any], Any] | None:
    """What makes the database's value a value of the column's type; None where it is one already."""
    if column.type is Id:
        # What comes out of an id column is an id: no second look at its length.
        return partial(bytes.__new__, Id)
    if issubclass(column.type, IntFlag):
        return column.type
    if issubclass(column.type, IntEnum):
        return {member.value: member for member in column.type}.__getitem__
    return None


_KEYS: dict[type, tuple[str, ...]] = {
    rows.MessageVersion: ("message_id", "version"),
    rows.LiveAttempt: ("attempt_id",),
    rows.AttemptRun: ("attempt_id", "run_id"),
    rows.LogLine: ("attempt_id", "seq"),
    rows.JobState: ("message_id", "job_id"),
    rows.StartGuard: ("message_id", "job_id"),
    rows.OnceOnly: ("kind", "key"),
    rows.DailyStat: ("project_id", "workflow_id", "day", "state"),
    rows.ClaimShare: ("scope_id",),
}


def _column(name: str, annotation: Any) -> Column:
    members = [member for member in typing.get_args(annotation) if member is not NoneType]
    return Column(name, members[0] if members else annotation, nullable=bool(members))


def _table(row: type[Any]) -> Table[Any]:
    hints = typing.get_type_hints(row)
    columns = tuple(_column(field.name, hints[field.name]) for field in fields(row))
    name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in row.__name__).lstrip("_")
    key = _KEYS.get(row, ("id",))
    reads = tuple((at, read) for at, column in enumerate(columns) if (read := _reader(column)))
    return Table(name, row, columns, key, attrgetter(*(column.name for column in columns)), attrgetter(*key), reads)


_BY_ROW: dict[type[Any], Table[Any]] = {row: _table(row) for row in (getattr(rows, name) for name in rows.__all__)}

TABLES: dict[str, Table[Any]] = {table.name: table for table in _BY_ROW.values()}
"""Every hot table by its name in the database."""


def table_of(row: type[R]) -> Table[R]:
    """The table whose rows are of this class. Raises KeyError for another class."""
    return _BY_ROW[row]
