"""Where the result goes: a file that is checked before anything runs, or standard output (cli.md §3.1)."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from kivuko.errors import InputError
from kivuko.value import value

__all__ = ["Fill", "OutputFile", "Write"]

Write = Callable[[bytes], object]
Fill = Callable[[Write], object]


@value
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
                beside = _beside(self.path)
                beside.touch(exist_ok=False)
                beside.unlink()
        except OSError as problem:
            raise self._refused(problem) from problem

    def write(self, content: bytes) -> None:
        """Put ``content`` in the file, whole or not at all: a full disk leaves the old file. Raises InputError."""
        self.write_from(lambda write: write(content))

    def write_from(self, fill: Fill) -> None:
        """Like ``write``, with what ``fill`` hands piece by piece to the function that it is given."""
        try:
            if self.path.exists() and not self.path.is_file():
                with self.path.open("wb") as file:
                    fill(file.write)
            else:
                self._replace(fill)
        except OSError as problem:
            raise self._refused(problem) from problem

    def _replace(self, fill: Fill) -> None:
        target = self.path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = _beside(target)
        try:
            with beside.open("xb") as file:
                fill(file.write)
            if target.exists():
                beside.chmod(target.stat().st_mode & 0o777)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)

    def _refused(self, problem: OSError) -> InputError:
        return InputError(
            f"Cannot write to {self.shown}",
            details=problem.strerror or str(problem),
            fix="Choose another file with -o, or print the result with -O.",
        )


def _beside(path: Path) -> Path:
    """A name in the same folder that nothing else has."""
    return path.with_name(f".kivuko-{os.getpid()}-{os.urandom(4).hex()}")
