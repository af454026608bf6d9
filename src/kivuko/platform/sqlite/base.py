"""SQLite for the ORM: the records' pragmas, and every write waits for its turn in the process (server-and-data §3).

Beside ingest, SQLite's own busy handler made the ORM's writes wait up to 1.6 s, the lock that the records' writer takes too 0.2 s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base as django_sqlite

from kivuko.records.sqlite import let_space_be_given_back
from kivuko.records.turns import FifoLock, turns_at

__all__ = ["DatabaseWrapper"]

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    # Checkpoints are the records' writer's.
    "PRAGMA wal_autocheckpoint = 0",
    "PRAGMA secure_delete = ON",
    "PRAGMA cache_size = -8192",
    "PRAGMA mmap_size = 0",
    "PRAGMA temp_store = MEMORY",
)
_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP|WITH|REINDEX|ANALYZE|VACUUM)\b", re.IGNORECASE)


class _Cursor(django_sqlite.SQLiteCursorWrapper):
    """A statement that writes outside a transaction is one of its own: it too waits for its turn."""

    turns: FifoLock

    def execute(self, query: Any, params: Any = None) -> Any:
        with self._turn(query):
            return super().execute(query, params)

    def executemany(self, query: Any, param_list: Any) -> Any:
        with self._turn(query):
            return super().executemany(query, param_list)

    @contextmanager
    def _turn(self, query: Any) -> Iterator[None]:
        if self.turns.held_here or self.connection.in_transaction or not _WRITES.match(query):
            yield
            return
        with self.turns:
            yield


class DatabaseWrapper(django_sqlite.DatabaseWrapper):
    """A connection whose transactions begin in the order in which they were asked for, and IMMEDIATE: turning from reading to writing can
    fail at once.
    """

    _has_turn = False

    @property
    def turns(self) -> FifoLock:
        """The lock of this database's file, the same one for everybody in the process."""
        return turns_at(Path(self.settings_dict["NAME"]))

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection as the records open theirs."""
        connection = super().get_new_connection(conn_params)
        connection.execute("PRAGMA busy_timeout = 20000")
        let_space_be_given_back(connection)
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        """A cursor that waits for its turn to write."""
        cursor = self.connection.cursor(factory=_Cursor)
        cursor.turns = self.turns
        return cursor

    def _start_transaction_under_autocommit(self) -> None:
        self.turns.acquire()
        self._has_turn = True
        begun = False
        try:
            self.cursor().execute("BEGIN IMMEDIATE")
            begun = True
        finally:
            if not begun:
                self._give_turn_back()

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]  # the stubs know the public methods only
        self._give_turn_back()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]  # the stubs know the public methods only
        finally:
            self._give_turn_back()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]  # the stubs know the public methods only
        finally:
            self._give_turn_back()

    def _give_turn_back(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self.turns.release()
