"""A database whose connections break at COMMIT."""

from __future__ import annotations

from collections.abc import Sequence

from kivuko.errors import RecordsUnavailable
from kivuko.records.database import Connection, Database


class Flaky:
    """A database whose connections break at COMMIT, after or before the commit took effect."""

    def __init__(self, database: Database, breaks: Sequence[str]) -> None:
        self.dialect, self.alone_apart, self.writing_here = database.dialect, False, False
        self._database, self._breaks = database, list(breaks)
        self.connect_to_read = database.connect_to_read

    def connect(self) -> Connection:
        connection = self._database.connect()
        commit = connection.commit

        def breaking() -> None:
            broken = self._breaks.pop(0) if self._breaks else ""
            if broken != "before":
                commit()
            if broken:
                raise RecordsUnavailable("the connection was lost")

        connection.commit = breaking  # type: ignore[method-assign]
        return connection
