"""Looking for a text where it must not be: in files, in every row of a database."""

from __future__ import annotations

from pathlib import Path

import psycopg

from journeys.own_server import OwnServer

__all__ = ["files_with", "places_with", "rows_with"]


def places_with(server: OwnServer, canary: str) -> list[str]:
    """Files of the data folder, and tables of PostgreSQL, that hold the text."""
    return files_with(server.data, canary) + (rows_with(server.database_url, canary) if server.database_url else [])


def files_with(folder: Path, canary: str) -> list[str]:
    """Files that hold the text, as it is or in UTF-16."""
    wanted = (canary.encode(), canary.encode("utf-16-le"))
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and "node_modules" not in path.parts]
    return [str(path.relative_to(folder)) for path in files if any(each in path.read_bytes() for each in wanted)]


def rows_with(database_url: str, canary: str) -> list[str]:
    """Tables with a row that holds the text, in any column; bytes too. What is dead but not vacuumed is not seen."""
    with psycopg.connect(database_url) as connection:
        tables = [name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        asked = 'SELECT count(*) FROM "{}" AS each WHERE each::text LIKE %s OR each::text LIKE %s'
        like = (f"%{canary}%", f"%{canary.encode().hex()}%")
        return [name for name in tables if connection.execute(asked.format(name), like).fetchone() != (0,)]  # type: ignore[arg-type]
