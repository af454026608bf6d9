"""The schema of the hot tables: numbered files per database, applied once each and in order."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from kivuko.records.database import Connection
from kivuko.records.statements import Dialect

__all__ = ["SchemaFile", "apply_schema", "schema_files"]

_LEDGER = "CREATE TABLE IF NOT EXISTS records_schema (number integer PRIMARY KEY, name text NOT NULL)"


@dataclass(frozen=True)
class SchemaFile:
    """One step of the schema's history."""

    number: int
    name: str
    text: str


def schema_files(dialect: Dialect) -> list[SchemaFile]:
    """The steps for one database, oldest first. The Django app of the records applies the same ones as its migrations."""
    folder = resources.files("kivuko.records.schema") / dialect
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [SchemaFile(int(name[:4]), name[5:-4], (folder / name).read_text(encoding="utf-8")) for name in names]


def apply_schema(connection: Connection) -> list[int]:
    """Brings a database up to date in one transaction; the numbers of the files that were missing."""
    connection.begin()
    try:
        if connection.dialect == "postgresql":
            # Several processes may start at once; 0x6b6a follows the claim's lock.
            connection.query("SELECT pg_advisory_xact_lock(27498)")
        connection.script(_LEDGER)
        done = {number for (number,) in connection.query("SELECT number FROM records_schema")}
        missing = [file for file in schema_files(connection.dialect) if file.number not in done]
        for file in missing:
            connection.script(file.text)
            connection.query("INSERT INTO records_schema (number, name) VALUES (?, ?)", file.number, file.name)
        connection.commit()
    finally:
        connection.rollback()
    return [file.number for file in missing]
