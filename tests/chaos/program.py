"""A process of Kivuko's, started as an operator would, that may be killed at any moment."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["KIVUKO", "Program"]

KIVUKO = str(Path(sys.executable).with_name("kivuko"))


class Program:
    """One process, startable again after its end. What it says goes to ``log``; ``prefix`` is a command that becomes it."""

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path, prefix: Sequence[str] = ()) -> None:
        self.name = name
        self.log = log
        self._command = [*prefix, KIVUKO, *arguments]
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self._groups: list[int] = []

    @property
    def pid(self) -> int:
        """Its process id. Raises AssertionError when it was not started."""
        assert self._process
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts it, in a session of its own: what it leaves behind can be found."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._groups.append(self._process.pid)

    def kill(self) -> float:
        """kill -9 of this process alone, not of its children; the moment (seconds since 1970) when it was gone."""
        assert self._process
        self._process.kill()
        self._process.wait()
        return time.time()

    def pause(self) -> None:
        """Stops it where it is: a suspended machine."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Lets it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def stop(self, within_s: float = 60) -> int:
        """SIGTERM, and its exit code. Raises TimeoutExpired when it does not end."""
        assert self._process
        self._process.terminate()
        return self._process.wait(within_s)

    def last_words(self, lines: int = 15) -> str:
        """The end of what it said."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:]) if self.log.exists() else ""

    def close(self) -> None:
        """Ends it and whatever of it is left."""
        if self.alive:
            self.kill()
        for group in self._groups:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
