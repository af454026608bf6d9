"""Moving all records from one database to another: from SQLite to PostgreSQL when one machine is too small."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kivuko.errors import InputError
from kivuko.records.bulk import page_statement
from kivuko.records.database import Connection
from kivuko.records.tables import TABLES, Table

__all__ = ["move_records"]

_PAGE = 1000


def move_records(source: Connection, target: Connection, *, told: Callable[[str, int], None] = lambda table, rows: None) -> int:
    """Copies every row; how many. ``told`` hears of each table's progress.

    Nobody may write to either database meanwhile. All is written in one transaction: a move that breaks off leaves the target empty.
    Raises InputError when the target has records already.
    """
    total = 0
    target.begin()
    try:
        for table in TABLES.values():
            if next(_pages(target, table), None):
                raise InputError(f"the target database has rows in {table.name} already", fix="Name an empty database.")
            copied = 0
            for page in _pages(source, table):
                target.write(page)
                copied += len(page)
                told(table.name, copied)
            total += copied
        target.commit()
    finally:
        target.rollback()
    return total


def _pages(connection: Connection, table: Table[Any]) -> Iterator[list[Any]]:
    """A table's rows in key order, a page at a time."""
    after: tuple[Any, ...] = ()
    while True:
        found = connection.query(page_statement(table, first=not after), *after, _PAGE)
        if not found:
            return
        rows = [table.load(values) for values in found]
        yield rows
        last = table.key_of(rows[-1])
        after = last if isinstance(last, tuple) and len(table.key) > 1 else (last,)
