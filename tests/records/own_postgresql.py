"""A PostgreSQL of one's own: on a socket in a folder, as an unprivileged user, gone at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import psycopg.conninfo

BINARIES = Path(os.environ.get("KIVUKO_POSTGRESQL_BIN", "/usr/lib/postgresql/15/bin"))
MISSING = f"PostgreSQL 15 is not in {BINARIES}: install postgresql-15, or name its folder in KIVUKO_POSTGRESQL_BIN"


def is_installed() -> bool:
    """Whether the server's programs are there."""
    return (BINARIES / "pg_ctl").exists()


class OwnServer:
    """A server; ``address`` is for libpq."""

    def __init__(self, folder: Path, settings: str) -> None:
        # PostgreSQL refuses to run as root.
        nobody = pwd.getpwnam("nobody")
        self._account: dict[str, Any] = {"user": nobody.pw_uid, "group": nobody.pw_gid} if os.geteuid() == 0 else {}
        self._folder = folder
        self._options = f"-c listen_addresses='' -c unix_socket_directories={folder} {settings}"
        self.address = f"host={folder} user=kivuko dbname=postgres"
        if self._account:
            os.chown(folder, self._account["user"], self._account["group"])
        self._call("initdb", "-U", "kivuko", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")

    def start(self) -> None:
        """Starts it and waits until it answers."""
        self._call("pg_ctl", "start", "-w", "-t", "60", "-l", str(self._folder / "log"), "-o", self._options)

    def stop(self, how: str = "fast") -> None:
        """Stops it: ``fast`` ends connections, ``immediate`` is a crash. By the process id in its folder."""
        self._call("pg_ctl", "stop", "-m", how)

    def empty_database(self, name: str) -> str:
        """The address of a new database, as a setting has it."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name}")
            connection.execute(f"CREATE DATABASE {name}")
        named = psycopg.conninfo.conninfo_to_dict(self.address)
        return f"postgresql://{named['user']}@/{name}?host={named['host']}"

    def _call(self, program: str, *arguments: str) -> None:
        command = [BINARIES / program, *arguments, "-D", str(self._folder / "data")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self._folder, **self._account)


@contextmanager
def own_postgresql(settings: str = "-c fsync=off -c shared_buffers=64MB") -> Iterator[OwnServer]:
    """A started server; its folder is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="kivuko-pg-"))
    server = OwnServer(folder, settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
