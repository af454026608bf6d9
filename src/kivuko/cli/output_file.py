"""Where the result goes: a file that is checked before anything runs, or standard output (cli.md §3.1)."""

from __future__ import annotations

import errno
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kivuko.errors import InputError

__all__ = ["OutputFile"]


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that a command will write. ``shown`` is the path as the person wrote it, ``path`` the absolute one."""

    shown: str
    path: Path

    def check(self) -> None:
        """Make the folder and see that the file can be written, leaving a file that is there as it is. Raises InputError."""
        try:
            if self.path.is_dir():
                raise IsADirectoryError(errno.EISDIR, "it is a folder")
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists():
                self.path.open("ab").close()
            else:
                descriptor, name = tempfile.mkstemp(prefix=".kivuko-", dir=self.path.parent)
                os.close(descriptor)
                os.unlink(name)
        except OSError as problem:
            raise self._refused(problem) from problem

    def write(self, content: bytes) -> None:
        """Put ``content`` in the file, whole or not at all: a full disk leaves the old file. Raises InputError."""
        try:
            if self.path.exists() and not self.path.is_file():
                self.path.write_bytes(content)
                return
            self._replace(content)
        except OSError as problem:
            raise self._refused(problem) from problem

    def _replace(self, content: bytes) -> None:
        target = self.path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        descriptor, name = tempfile.mkstemp(prefix=".kivuko-", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            os.chmod(name, mode)
            os.replace(name, target)
        except OSError:
            os.unlink(name)
            raise

    def _refused(self, problem: OSError) -> InputError:
        return InputError(
            f"Cannot write to {self.shown}",
            details=problem.strerror or str(problem),
            fix="Choose another file with -o, or print the result with -O.",
        )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
