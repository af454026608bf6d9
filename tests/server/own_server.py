"""``kivuko serve`` in a process of its own, that tests can talk to, stop and kill."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

__all__ = ["OwnServer", "refused", "until"]

PATIENCE_S = 60.0
_SERVES = re.compile(r"serves (http://\S+)")


class OwnServer:
    """A server on a port that was free; ready when this is made."""

    def __init__(self, *words: str, environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
        command = [sys.executable, "-m", "kivuko.cli", "serve", "--port", "0", *words]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**_own_environment(), **(environment or {})},
            cwd=cwd,
            # A Ctrl-C of whoever runs the tests is not for it.
            start_new_session=True,
        )
        self.said: list[str] = []
        self.logged: list[str] = []
        self._started = threading.Event()
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.said), daemon=True),
            threading.Thread(target=self._read, args=(self.process.stderr, self.logged), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self._started.wait(PATIENCE_S)
        found = [match for line in self.said if (match := _SERVES.search(line))]
        if not found:
            self.__exit__(None, None, None)
            raise AssertionError(f"the server did not start: {self.said} {self.logged}")
        self.url = found[0][1]
        self.port = int(self.url.rpartition(":")[2])

    def _read(self, stream: Any, lines: list[str]) -> None:
        for line in stream:
            lines.append(line.rstrip("\n"))
            if _SERVES.search(line):
                self._started.set()
        self._started.set()

    def __enter__(self) -> OwnServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        for reader in self._readers:
            reader.join(PATIENCE_S)
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    @property
    def token(self) -> str:
        """The API token that was shown at first start."""
        return next(match[0] for line in self.said if (match := re.search(r"kvk_\S+", line)))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stops it; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        """As the machine's power does, but for the disk's cache."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        """Status and JSON (or text) of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            text = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
            connection.request(method, path, text, {"content-type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            content = answer.read()
            is_json = bool(content) and "json" in (answer.getheader("content-type") or "")
            return answer.status, json.loads(content) if is_json else content.decode()
        finally:
            connection.close()

    def api(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """The same, as the first administrator."""
        return self.ask(method, f"/api/v1{path}", body, {"authorization": f"Bearer {self.token}"})

    def events(self, event: str) -> list[dict[str, Any]]:
        """The log lines of one event."""
        return [line for text in self.logged if text.startswith("{") and (line := json.loads(text)).get("event") == event]

    @property
    def memory_mb(self) -> float:
        """What the process has in memory just now (proc(5), VmRSS)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def refused(*words: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Exit code and output of a start that is refused."""
    command = [sys.executable, "-m", "kivuko.cli", "serve", *words]
    ended = subprocess.run(
        command, capture_output=True, text=True, env={**_own_environment(), **(environment or {})}, timeout=PATIENCE_S, check=False
    )
    return ended.returncode, ended.stdout + ended.stderr


def _own_environment() -> dict[str, str]:
    return {**os.environ, "IGNORE_DOT_ENV": "1"}


def until(found: Any, patience_s: float = PATIENCE_S) -> Any:
    """What ``found()`` gives once it gives something. Raises AssertionError when it never does."""
    give_up_at = time.monotonic() + patience_s
    while time.monotonic() < give_up_at:
        if outcome := found():
            return outcome
        time.sleep(0.02)  # paced: polls with a deadline
    raise AssertionError("it did not happen in time")
