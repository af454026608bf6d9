"""The data folder: what is in it, who may read it, and that only one process writes to its SQLite file."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from kivuko.errors import DataFolderRefused
from kivuko.server.filesystem import filesystem_of, is_network

__all__ = ["DataFolder", "default_data_folder"]

_POSTGRESQL = "Several processes need PostgreSQL: `kivuko migrate --to postgresql://…` moves a data folder over, DATABASE_URL names it."


def default_data_folder(environment: Mapping[str, str]) -> Path:
    """KIVUKO_DATA, else the platform's folder for data."""
    named = environment.get("KIVUKO_DATA")
    return Path(named).expanduser() if named else platformdirs.user_data_path("kivuko", appauthor=False)


@dataclass(frozen=True)
class DataFolder:
    """A folder that exists and that only its owner can look into. ``incoming`` holds bodies while they arrive."""

    path: Path

    @classmethod
    def open(cls, path: Path) -> DataFolder:
        """Makes the folder where it is missing. Raises DataFolderRefused when that cannot be, or it cannot be written to."""
        path = path.absolute()
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except (FileExistsError, NotADirectoryError) as problem:
            raise DataFolderRefused(f"{path} is not a folder", fix="Name another with --data.") from problem
        except OSError as problem:
            raise DataFolderRefused(
                f"the data folder {path} cannot be made: {problem.strerror}", fix="Name another with --data."
            ) from problem
        if not os.access(path, os.W_OK | os.X_OK) or os.statvfs(path).f_flag & os.ST_RDONLY:
            raise DataFolderRefused(f"the data folder {path} cannot be written to", fix="Make it writable, or name another with --data.")
        return cls(path)

    @property
    def objects(self) -> Path:
        """Bodies too large for a row."""
        return self._made("objects")

    @property
    def incoming(self) -> Path:
        """Files without names of bodies that are being received."""
        return self._made("incoming")

    @property
    def secrets(self) -> Path:
        """The keys that were made at first start."""
        return self._made("secrets")

    @property
    def adaptors(self) -> Path:
        """Installed adaptors, unless they are kept elsewhere."""
        return self.path / "adaptors"

    def let_through(self, group: int) -> None:
        """Lets a group pass through the folder, not look into it; what lies in it is its owner's only. Raises OSError.

        A folder that is open to all was opened by somebody, and stays as it is.
        """
        status = self.path.stat()
        if status.st_mode & 0o001:
            return
        for entry in self.path.iterdir():
            mode = entry.lstat().st_mode
            if entry != self.adaptors and mode & 0o077 and not entry.is_symlink():
                entry.chmod(mode & 0o700)
        if status.st_gid != group or not status.st_mode & 0o010:
            os.chown(self.path, -1, group)
            self.path.chmod(status.st_mode & 0o7707 | 0o010)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Holds the lock of the folder: SQLite means one process.

        Raises DataFolderRefused when another process has it, or the folder is on a network file system.
        """
        kind = filesystem_of(self.path)
        if is_network(kind):
            raise DataFolderRefused(
                f"the data folder {self.path} is on a network file system ({kind}), where SQLite's locks do not hold",
                fix=f"Use a disk of this machine. {_POSTGRESQL}",
            )
        descriptor = os.open(self.path / "kivuko.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(descriptor, self.path)
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
            yield
        finally:
            os.close(descriptor)

    def _made(self, name: str) -> Path:
        folder = self.path / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
        by = f" (pid {holder})" if holder else ""
        raise DataFolderRefused(f"another process{by} has the data folder {path}", fix=f"End that one first. {_POSTGRESQL}") from problem
