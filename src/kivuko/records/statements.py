"""Every SQL statement of the records, by name.

They lie in ``sql/*.sql``, one file a noun. ``-- name: claim`` begins a statement for both databases, ``-- name: claim [sqlite]`` the one
for SQLite only. What the databases cannot share is bridged here, so that most statements are written once:

- ``:value`` is a parameter; ``= ANY(:values)`` compares with a list (SQLite has no arrays: the list is spread out);
- ``{run}`` stands for all columns of the table ``run``, in the order of ``records.rows``;
- ``FOR UPDATE …`` is left out on SQLite, where the one writer is alone anyway.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Literal

from kivuko.records.tables import TABLES

__all__ = ["Dialect", "columns_of", "named", "statements"]

Dialect = Literal["sqlite", "postgresql"]

_NAME = re.compile(r"^-- name: (\w+)(?: \[(sqlite|postgresql)\])?\s*$", re.MULTILINE)
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]+)")
_LOCK = re.compile(r"\s+FOR UPDATE\b[^;)]*")


def named(name: str, dialect: Dialect) -> str:
    """The statement of this name, ready for the database's driver. Raises KeyError when there is none."""
    return statements(dialect)[name]


@cache
def statements(dialect: Dialect) -> dict[str, str]:
    """All statements for one database, by name. Raises ValueError when a name is given twice."""
    found: dict[str, str] = {}
    folder = resources.files("kivuko.records") / "sql"
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".sql"):
            for name, text in _split(file.read_text(encoding="utf-8"), dialect):
                if name in found:
                    raise ValueError(f"statement {name} stands twice, again in {file.name}")
                found[name] = text
    return found


def columns_of(table: str) -> str:
    """The columns of a table as a statement names them, in the order of its rows."""
    return ", ".join(f"{table}.{column.name}" for column in TABLES[table].columns)


def _split(text: str, dialect: Dialect) -> list[tuple[str, str]]:
    pieces = _NAME.split(text)[1:]
    return [
        (name, _translated(body, dialect))
        for name, only, body in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True)
        if only in (None, dialect)
    ]


def _translated(body: str, dialect: Dialect) -> str:
    lines = [line for line in body.splitlines() if line.strip() and not line.lstrip().startswith("--")]
    text = re.sub(r"\{(\w+)\}", lambda match: columns_of(match[1]), "\n".join(lines)).rstrip("; \n")
    if dialect == "sqlite":
        return _LOCK.sub("", text)
    return _PARAMETER.sub(r"%(\1)s", text.replace("%", "%%"))
