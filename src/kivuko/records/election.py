"""Which of several nodes does what only one should: the one that holds an advisory lock (server-and-data §11)."""

from __future__ import annotations

import threading

from kivuko.errors import RecordsUnavailable
from kivuko.records.database import Connection, Database

__all__ = ["Election"]

_LOCK = 27501
"""Follows the locks of the claim, the schema, the migrations and the search index."""


class Election:
    """Asks to be the one node. On SQLite there is one process, so it always is; on PostgreSQL the lock goes with its connection.

    Nothing may depend on it for being right, only for not being done twice in vain: a node that was cut off may go on for a moment.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._guard = threading.Lock()

    def won(self) -> bool:
        """Whether this node is the one now. Raises RecordsUnavailable."""
        if self._database.dialect == "sqlite":
            return True
        with self._guard:
            if self._connection is not None:
                return self._still_holds(self._connection)
            connection = self._database.connect()
            ((won,),) = connection.query("SELECT pg_try_advisory_lock(?)", _LOCK)
            if won:
                self._connection = connection
            else:
                connection.close()
            return bool(won)

    def resign(self) -> None:
        """Lets another node be the one."""
        with self._guard:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _still_holds(self, connection: Connection) -> bool:
        try:
            connection.query("SELECT 1")
        except RecordsUnavailable:
            self._connection = None
            connection.close()
            raise
        return True
