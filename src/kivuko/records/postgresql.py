"""The records on PostgreSQL 15 or newer."""

from __future__ import annotations

import importlib

from kivuko.errors import InputError
from kivuko.records.database import Connection
from kivuko.records.statements import Dialect

__all__ = ["PATIENCE", "PostgresqlDatabase", "check_address"]

PATIENCE = {"keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "20000"}
"""How soon a server that nothing is heard of any more is given up (libpq's names), unless the address says otherwise: by default TCP waits
for a quarter of an hour."""

# The statements of the records look rows up by their keys. A plan that was made while the tables were small, or before they were ever
# analysed, reads whole tables instead, and stays in use while they grow: a claim or a report then costs more with every message.
# Where there is no index the price of that is so high that PostgreSQL would compile the statement first (JIT).
_BY_KEY = "-c enable_seqscan=off -c jit=off"
# A writer's are few and always the same: planned once for all values, not for each (planning was 40 % of the server's time).
_PLANNED_ONCE = "-c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan"
# What a node that has vanished holds for the others (the claim's lock, rows, its election) is free again within a lease of 12 s.
_LETS_GO = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 -c tcp_user_timeout=10000"


def check_address(address: str) -> None:
    """Raises InputError for what is no libpq connection string or URL. Nothing of it is shown: it may hold a password."""
    driver = importlib.import_module("psycopg")
    try:
        parts = driver.conninfo.conninfo_to_dict(address)
    except driver.ProgrammingError:
        fix = "Write postgresql://user:password@host:5432/name, and in the password %25 for % and %40 for @."
        raise InputError("the address of the PostgreSQL database cannot be read", fix=fix) from None
    if not all(port.isdigit() for port in str(parts.get("port") or "0").split(",") if port):
        raise InputError(
            "the port in the address of the PostgreSQL database is no number", fix="Write postgresql://user:password@host:5432/name."
        )


class PostgresqlDatabase:
    """A database on a server. ``address`` is a libpq connection string or URL."""

    dialect: Dialect = "postgresql"
    alone_apart = True

    def __init__(self, address: str, *, connect_timeout_s: int = 5) -> None:
        self.address = address
        self._connect_timeout_s = connect_timeout_s

    @property
    def writing_here(self) -> bool:
        """Never: writers of PostgreSQL wait for rows, not for each other."""
        return False

    def connect(self) -> Connection:
        """A connection whose commits are durable when they return. Raises RecordsUnavailable."""
        durable = "-c synchronous_commit=on -c default_transaction_isolation=read\\ committed"
        return self._open(f"{durable} {_BY_KEY} {_PLANNED_ONCE}")

    def connect_to_read(self) -> Connection:
        """A connection that cannot write. Raises RecordsUnavailable."""
        return self._open(f"-c default_transaction_read_only=on {_BY_KEY}")

    def _open(self, options: str) -> Connection:
        # psycopg is a tenth of the server's start, and SQLite does without it.
        driver = importlib.import_module("kivuko.records.postgresql_connection")
        connection: Connection = driver.open_connection(self.address, f"{options} {_LETS_GO}", connect_timeout_s=self._connect_timeout_s)
        return connection
