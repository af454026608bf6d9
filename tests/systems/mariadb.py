"""A real MariaDB server for tests: a private process with its own folder, on a free port of loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

import pytest

__all__ = ["DATABASE", "PASSWORD", "USER", "MariaDb", "MariaDbMissingError", "missing_program", "need_mariadb"]

USER, PASSWORD, DATABASE = "kivuko", "kivuko-pass", "clinic"
_START_S = 60


class MariaDbMissingError(RuntimeError):
    """MariaDB is not installed."""


def missing_program() -> str:
    """One sentence when MariaDB is not installed on this machine, else the empty text."""
    missing = [name for name in ("mariadbd", "mariadb-install-db", "mariadb") if not _program(name)]
    return f"The mysql tests need MariaDB, and {', '.join(missing)} is missing: apt-get install -y mariadb-server" if missing else ""


def need_mariadb() -> None:
    """Skip the test that asks where MariaDB is not installed; in CI, where it must be, fail."""
    if sentence := missing_program():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(sentence)


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


class MariaDb:
    """A server that is up inside ``with``; user, password and database are made. Never runs as root.

    Its folder is not one of pytest's: pytest closes those to other users again whenever another session begins.
    """

    def __init__(self) -> None:
        if sentence := missing_program():
            raise MariaDbMissingError(sentence)
        self._temporary = tempfile.TemporaryDirectory(prefix="kivuko-mariadb-")
        self.folder = Path(self._temporary.name)
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> MariaDb:
        data, log = self.folder / "data", self.folder / "mariadb.log"
        data.mkdir()
        account = self._account()
        plain = ["--no-defaults", f"--datadir={data}", *account]
        install = [str(_program("mariadb-install-db")), *plain, "--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run(install, check=True, capture_output=True)
        network = ["--bind-address=127.0.0.1", f"--port={self.port}", f"--socket={self.socket}", f"--pid-file={self.folder}/mariadb.pid"]
        light = ["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M", "--performance-schema=OFF", "--skip-log-bin"]
        with log.open("wb") as output:
            self._process = subprocess.Popen([str(_program("mariadbd")), *plain, *network, *light], stdout=output, stderr=output)
        self._wait(log)
        self.execute(
            f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4; CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}'; "
            f"GRANT ALL ON {DATABASE}.* TO '{USER}'@'%'",
            database="",
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(30)
        self._temporary.cleanup()

    @property
    def socket(self) -> Path:
        """Where the administrator connects."""
        return self.folder / "s"

    def execute(self, statements: str, database: str = DATABASE) -> list[list[str]]:
        """Run SQL as administrator. Rows of the last query as texts. Raises CalledProcessError with MariaDB's words in ``stderr``."""
        client = [str(_program("mariadb")), "--no-defaults", f"--socket={self.socket}", "-uroot", "--batch", "--skip-column-names"]
        done = subprocess.run([*client, *([database] if database else [])], input=statements, check=True, capture_output=True, text=True)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def _account(self) -> list[str]:
        if os.geteuid() != 0:
            return []
        entry = pwd.getpwnam("mysql")
        for path in (self.folder, self.folder / "data"):
            os.chown(path, entry.pw_uid, entry.pw_gid)
        self.folder.chmod(0o711)
        return ["--user=mysql"]

    def _wait(self, log: Path) -> None:
        """Until the server answers on its socket. Raises RuntimeError with the end of the log when it gives up or takes too long."""
        assert self._process
        end = time.monotonic() + _START_S
        while time.monotonic() < end and self._process.poll() is None:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(self.socket)) == 0:
                    return
            try:
                self._process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        raise RuntimeError(f"MariaDB did not start: {log.read_text(errors='replace')[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
