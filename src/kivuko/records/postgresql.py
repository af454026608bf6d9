"""The records on PostgreSQL 15 or newer."""

from __future__ import annotations

import importlib

from kivuko.records.database import Connection
from kivuko.records.statements import Dialect

__all__ = ["PATIENCE", "PostgresqlDatabase"]

PATIENCE = {"keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "20000"}
"""How soon a server that nothing is heard of any more is given up (libpq's names), unless the address says otherwise: by default TCP waits
for a quarter of an hour."""

# The statements of the records look rows up by their keys. A plan that was made while the tables were small, or before they were ever
# analysed, reads whole tables instead, and stays in use while they grow: a claim or a report then costs more with every message.
_BY_KEY = "-c enable_seqscan=off"
# A writer's are few and always the same: planned once for all values, not for each (planning was 40 % of the server's time).
_PLANNED_ONCE = "-c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan"


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
        return self._open(f"-c synchronous_commit=on -c default_transaction_isolation=read\\ committed {_BY_KEY} {_PLANNED_ONCE}")

    def connect_to_read(self) -> Connection:
        """A connection that cannot write. Raises RecordsUnavailable."""
        return self._open(f"-c default_transaction_read_only=on {_BY_KEY}")

    def _open(self, options: str) -> Connection:
        # psycopg is a tenth of the server's start, and SQLite does without it.
        driver = importlib.import_module("kivuko.records.postgresql_connection")
        connection: Connection = driver.open_connection(self.address, options, connect_timeout_s=self._connect_timeout_s)
        return connection
