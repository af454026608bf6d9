"""Clocks that jump: a preloaded library moves the wall clock of a process (and of its children) by what stands in a file.

Time namespaces move the monotonic clock only, and libfaketime is a package that machines lack; 40 lines of C need but a compiler.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

__all__ = ["ShiftedClock", "build_shift", "during"]

_SOURCE = Path(__file__).with_name("clock_shift.c")


def build_shift(folder: Path) -> Path:
    """Compiles the library into a folder. Raises RuntimeError where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise RuntimeError("clocks cannot be moved here: there is no C compiler (apt-get install -y gcc libc6-dev)")
    library = folder / "clock_shift.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, _SOURCE], check=True)
    library.chmod(0o755)
    return library


class ShiftedClock:
    """The clock of one process. ``environment`` is what the process is started with."""

    def __init__(self, library: Path, name: str) -> None:
        self._file = library.with_name(f"{name}.clock")
        self._file.write_bytes(struct.pack("q", 0))
        self._file.chmod(0o644)
        self.environment: Mapping[str, str] = {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(self._file)}

    def set(self, shift_s: int) -> None:
        """Moves it so many seconds away from the machine's: at once, for all threads."""
        with self._file.open("r+b") as file:
            file.write(struct.pack("q", shift_s))


@contextmanager
def during(variables: Mapping[str, str]) -> Iterator[None]:
    """This process's environment with some variables more, for children that take it over."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
