"""Statements that write many rows of a table at once, in each database's fastest way."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from kivuko.records.database import Conflict
from kivuko.records.ids import Id
from kivuko.records.statements import Dialect
from kivuko.records.tables import Column, Table, table_of

__all__ = ["folded", "page_statement", "write_statement"]

_POSTGRES_TYPES: dict[type, str] = {Id: "uuid", int: "bigint", str: "text", bytes: "bytea"}


def folded(rows: Iterable[Any]) -> tuple[Table[Any], list[Any]] | None:
    """The rows' table, and the rows in key order, the last of each key only; None when there are none.

    Unsorted batch upserts of two writers deadlock, and PostgreSQL refuses a key that comes twice in one statement.
    """
    listed = list(rows)
    if not listed:
        return None
    table = table_of(type(listed[0]))
    by_key = {table.key_of(row): row for row in listed}
    return table, [by_key[key] for key in sorted(by_key)]


@cache
def write_statement(table: Table[Any], conflict: Conflict, dialect: Dialect, count: int = 1) -> str:
    """``INSERT … ON CONFLICT`` for rows of ``table``: of ``count`` rows on SQLite, from one array per column on PostgreSQL."""
    names = ", ".join(column.name for column in table.columns)
    if dialect == "sqlite":
        row = f"({', '.join('?' * len(table.columns))})"
        source = f"VALUES {', '.join([row] * count)}"
    else:
        source = f"SELECT * FROM unnest({', '.join(f'%s::{_array_type(column)}' for column in table.columns)})"
    return f"INSERT INTO {table.name} ({names}) {source} ON CONFLICT ({', '.join(table.key)}) DO {_resolution(table, conflict)}"


@cache
def page_statement(table: Table[Any], *, first: bool) -> str:
    """``SELECT`` of the rows after a key, in key order: values are the key's columns (not for the first page) and how many rows."""
    names, key = ", ".join(column.name for column in table.columns), ", ".join(table.key)
    after = "" if first else f"WHERE ({key}) > ({', '.join('?' * len(table.key))}) "
    return f"SELECT {names} FROM {table.name} {after}ORDER BY {key} LIMIT ?"


def _array_type(column: Column) -> str:
    return "smallint[]" if column.is_enumeration else f"{_POSTGRES_TYPES[column.type]}[]"


def _resolution(table: Table[Any], conflict: Conflict) -> str:
    changed = [column.name for column in table.columns if column.name not in table.key]
    if conflict is Conflict.KEEP or not changed:
        return "NOTHING"
    return "UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in changed)
