"""``kivuko migrate``: brings the database up to date, or moves everything from SQLite to PostgreSQL (server-and-data §3, §11)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from kivuko.errors import InputError
from kivuko.platform import PlatformSettings, migrate, setup
from kivuko.platform.moving import move_platform
from kivuko.records import PostgresqlDatabase, SqliteDatabase, database_at
from kivuko.server.datafolder import DataFolder
from kivuko.server.keyring import keyring
from kivuko.server.settings import ServerSettings

__all__ = ["bring_up_to_date", "relocate"]

Tell = Callable[[str], None]


def bring_up_to_date(settings: ServerSettings, data: Path, tell: Tell) -> int:
    """Applies what the database lacks; the exit code. Raises DataFolderRefused while a server works with it, RecordsUnavailable."""
    with ExitStack() as stack:
        folder = DataFolder.open(data)
        setup(_platform(settings, folder, stack))
        done = migrate()
    tell(f"Applied {', '.join(done)}." if done else "The database is up to date.")
    return 0


def relocate(settings: ServerSettings, data: Path, address: str, tell: Tell) -> int:
    """Copies everything into an empty PostgreSQL database; the exit code. The SQLite file stays as it was.

    Raises InputError for a target that is none or has been used, DataFolderRefused while a server works with the data folder.
    """
    target = database_at(address, data)
    if not isinstance(target, PostgresqlDatabase):
        raise InputError("--to names no PostgreSQL database", fix="Write --to postgresql://user:password@host/name.")
    if not data.is_dir():
        raise InputError(f"there is no data folder {data}", fix="Name the right one with --data.")
    with ExitStack() as stack:
        folder = DataFolder.open(data)
        source = _platform(settings, folder, stack)
        if not isinstance(database_at(source.database, folder.path), SqliteDatabase):
            raise InputError("the server works with PostgreSQL already", fix="Take DATABASE_URL away to name the SQLite data folder.")
        if not Path(folder.path / "kivuko.db").exists() and not source.database:
            raise InputError(f"the data folder {folder.path} has no database", fix="Name the right one with --data.")
        rows = move_platform(source, replace(source, database=address), told=_Progress(tell))
    tell(f"Moved {rows} rows. Start the server with DATABASE_URL set to that address, and with the same data folder:")
    tell("its secrets open what is encrypted, and large bodies stay in its files.")
    return 0


def _platform(settings: ServerSettings, folder: DataFolder, stack: ExitStack) -> PlatformSettings:
    """How the platform is set up; on SQLite with the lock that a server would have."""
    database = database_at(settings.database_url, folder.path)
    if isinstance(database, SqliteDatabase):
        stack.enter_context(DataFolder.open(database.path.parent).alone())
    keys = keyring(settings, folder.secrets)
    return PlatformSettings(folder.path, settings.database_url, keys.secret_key, keys.encryption_keys)


class _Progress:
    """Tells of each table once it is copied."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._last: tuple[str, int] | None = None

    def __call__(self, table: str, rows: int) -> None:
        if self._last and self._last[0] != table:
            self._tell(f"  {self._last[0]}: {self._last[1]}")
        self._last = (table, rows)
