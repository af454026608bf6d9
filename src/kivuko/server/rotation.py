"""``kivuko keys``: stored secrets are encrypted with the newest key, changed ones accepted (server-and-data §13)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from kivuko.errors import InputError
from kivuko.platform import PlatformSettings, migrate, setup
from kivuko.platform.rotation import Resealed, reseal, stale_secrets, stored_secrets
from kivuko.platform.shared_secrets import accept_secrets, is_newest_key, keep_keys
from kivuko.records import SqliteDatabase, database_at
from kivuko.server.datafolder import DataFolder
from kivuko.server.keyring import Keyring, add_encryption_key, keyring
from kivuko.server.settings import ServerSettings

__all__ = ["accept_keys", "rotate_keys"]

Tell = Callable[[str], None]


def rotate_keys(settings: ServerSettings, data: Path, tell: Tell) -> int:
    """Encrypts every secret with the newest key; the exit code: 1 when some could not be opened, or servers have to be restarted first.

    Where the keys are kept in the data folder and none is newer than the secrets, a new one is made. Raises InputError of several kinds,
    DataFolderRefused while a server works with a SQLite file, RecordsUnavailable.
    """
    if not data.is_dir():
        raise InputError(f"there is no data folder {data}", fix="Name the right one with --data.")
    with ExitStack() as stack:
        folder = DataFolder.open(data)
        alone = _alone(settings, folder, stack)
        keys = _set_up(settings, folder)
        migrate()
        if not alone and not is_newest_key(keys.encryption_keys):
            tell("No server works with the newest key yet: restart every server of this database, then call this again.")
            return 1
        if stale_secrets():
            resealed = reseal(lambda done: tell(f"  {done} encrypted"))
            # What no key opens must not keep the others from a new key.
            if resealed.done or settings.encryption_keys or len(resealed.unreadable) == stored_secrets():
                return _told(resealed, keys, tell)
        if settings.encryption_keys:
            return _to_do(tell)
        add_encryption_key(folder.secrets)
        tell(f"A new key is the first in {folder.secrets / 'encryption_keys'}.")
        if not alone:
            tell("Restart every server of this database, for they must know it; then call this again.")
            return 0
        keys = _set_up(settings, folder)
        return _told(reseal(lambda done: tell(f"  {done} encrypted")), keys, tell)


def accept_keys(settings: ServerSettings, data: Path, tell: Tell) -> int:
    """Takes this server's secrets as those of all servers of its PostgreSQL database; the exit code.

    Raises InputError of several kinds, RecordsUnavailable.
    """
    if not data.is_dir():
        raise InputError(f"there is no data folder {data}", fix="Name the right one with --data.")
    folder = DataFolder.open(data)
    if isinstance(database_at(settings.database_url, folder.path), SqliteDatabase):
        raise InputError("only the servers of a PostgreSQL database compare their secrets", fix="Nothing has to be done for SQLite.")
    keys = _set_up(settings, folder)
    migrate()
    accept_secrets(keys.shared, keys.encryption_keys)
    tell("From now on every server of this database must have the secrets that this one has.")
    return 0


def _alone(settings: ServerSettings, folder: DataFolder, stack: ExitStack) -> bool:
    """Whether no server can be working with the database: on SQLite the lock that it would have is held."""
    database = database_at(settings.database_url, folder.path)
    if not isinstance(database, SqliteDatabase):
        return False
    if not database.path.exists():
        raise InputError(f"there is no database {database.path}", fix="Name the right data folder with --data.")
    stack.enter_context(DataFolder.open(database.path.parent).alone())
    return True


def _set_up(settings: ServerSettings, folder: DataFolder) -> Keyring:
    keys = keyring(settings, folder.secrets)
    setup(PlatformSettings(folder.path, settings.database_url, keys.secret_key, keys.encryption_keys))
    return keys


def _told(resealed: Resealed, keys: Keyring, tell: Tell) -> int:
    keep_keys(keys.encryption_keys)
    tell(f"Secrets encrypted with the newest key: {resealed.done}.")
    for reason in resealed.unreadable:
        tell(f"Left as it was: {reason}.")
    if resealed.unreadable:
        tell("Put the missing keys at the end of the encryption keys and call this again, or set these secrets anew.")
        return 1
    tell("Older keys open nothing any more but backups from before: keep them for those, or take them away.")
    return 0


def _to_do(tell: Tell) -> int:
    tell(f"All secrets ({stored_secrets()}) are encrypted with the newest key.")
    tell("For a new one: put it at the end of KIVUKO_ENCRYPTION_KEYS on every server, restart them; then put it first, restart them;")
    tell("then call this again. Make one: openssl rand -base64 32")
    return 0
