"""``kivuko keys rotate``: stored secrets are encrypted with the newest key (server-and-data §13)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from kivuko.errors import InputError
from kivuko.platform import PlatformSettings, migrate, setup
from kivuko.platform.rotation import Resealed, reseal, stale_secrets, stored_secrets
from kivuko.records import SqliteDatabase, database_at
from kivuko.server.datafolder import DataFolder
from kivuko.server.keyring import add_encryption_key, keyring
from kivuko.server.settings import ServerSettings

__all__ = ["rotate_keys"]

Tell = Callable[[str], None]


def rotate_keys(settings: ServerSettings, data: Path, tell: Tell) -> int:
    """Encrypts every secret with the newest key; the exit code: 1 when some could not be opened.

    Where the keys are kept in the data folder and none is newer than the secrets, a new one is made. Raises InputError of several kinds,
    DataFolderRefused while a server works with a SQLite file, RecordsUnavailable.
    """
    if not data.is_dir():
        raise InputError(f"there is no data folder {data}", fix="Name the right one with --data.")
    with ExitStack() as stack:
        folder = DataFolder.open(data)
        alone = _alone(settings, folder, stack)
        _set_up(settings, folder)
        migrate()
        if stale_secrets():
            return _told(reseal(lambda done: tell(f"  {done}")), tell)
        if settings.encryption_keys:
            return _to_do(tell)
        add_encryption_key(folder.secrets)
        tell(f"A new key is the first in {folder.secrets / 'encryption_keys'}.")
        if not alone:
            tell("Restart every server of this database, for they must know it; then call this again.")
            return 0
        _set_up(settings, folder)
        return _told(reseal(lambda done: tell(f"  {done}")), tell)


def _alone(settings: ServerSettings, folder: DataFolder, stack: ExitStack) -> bool:
    """Whether no server can be working with the database: on SQLite the lock that it would have is held."""
    database = database_at(settings.database_url, folder.path)
    if not isinstance(database, SqliteDatabase):
        return False
    if not database.path.exists():
        raise InputError(f"there is no database {database.path}", fix="Name the right data folder with --data.")
    stack.enter_context(DataFolder.open(database.path.parent).alone())
    return True


def _set_up(settings: ServerSettings, folder: DataFolder) -> None:
    keys = keyring(settings, folder.secrets)
    setup(PlatformSettings(folder.path, settings.database_url, keys.secret_key, keys.encryption_keys))


def _told(resealed: Resealed, tell: Tell) -> int:
    tell(f"Secrets encrypted with the newest key: {resealed.done}.")
    for reason in resealed.unreadable:
        tell(f"Left as it was: {reason}.")
    if resealed.unreadable:
        tell("Put the missing keys at the end of the encryption keys and call this again.")
        return 1
    tell("Older keys open nothing any more but backups from before: keep them for those, or take them away.")
    return 0


def _to_do(tell: Tell) -> int:
    tell(f"All secrets ({stored_secrets()}) are encrypted with the newest key.")
    tell("For a new one: put it at the end of KIVUKO_ENCRYPTION_KEYS on every server, restart them; then put it first, restart them;")
    tell("then call this again. Make one: openssl rand -base64 32")
    return 0
