"""The databases that every test of the records runs on: a SQLite file, and a PostgreSQL that is started here."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kivuko.records.database import Connection, Database
from kivuko.records.postgresql import PostgresqlDatabase
from kivuko.records.schema import apply_schema
from kivuko.records.sqlite import SqliteDatabase
from kivuko.records.tables import TABLES
from records.scenes import Scene

BINARIES = Path(os.environ.get("KIVUKO_POSTGRESQL_BIN", "/usr/lib/postgresql/15/bin"))
MISSING = f"PostgreSQL 15 is not in {BINARIES}: install postgresql-15, or name its folder in KIVUKO_POSTGRESQL_BIN"
OPTIONS = "-c listen_addresses='' -c fsync=off -c shared_buffers=64MB -c unix_socket_directories={folder}"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Address of an empty server on a socket of its own, ended after the last test."""
    if not (BINARIES / "pg_ctl").exists():
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    # PostgreSQL refuses to run as root.
    nobody = pwd.getpwnam("nobody")
    account: dict[str, Any] = {"user": nobody.pw_uid, "group": nobody.pw_gid} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="kivuko-pg-"))
    if account:
        os.chown(folder, account["user"], account["group"])

    def call(program: str, *arguments: str) -> None:
        command = [BINARIES / program, *arguments, "-D", str(folder / "data")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, **account)

    call("initdb", "-U", "kivuko", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
    call("pg_ctl", "start", "-w", "-t", "60", "-l", str(folder / "log"), "-o", OPTIONS.format(folder=folder))
    try:
        yield f"host={folder} user=kivuko dbname=postgres"
    finally:
        call("pg_ctl", "stop", "-m", "fast")
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgresql(postgresql_server: str) -> PostgresqlDatabase:
    """The server's database, with the schema."""
    database = PostgresqlDatabase(postgresql_server)
    connection = database.connect()
    apply_schema(connection)
    connection.close()
    return database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """An empty database with the schema: each test runs once per kind."""
    if request.param == "sqlite":
        sqlite = SqliteDatabase(tmp_path / "kivuko.db")
        connection = sqlite.connect()
        apply_schema(connection)
        connection.close()
        return sqlite
    found: PostgresqlDatabase = request.getfixturevalue("postgresql")
    connection = found.connect()
    connection.script(f"TRUNCATE {', '.join(TABLES)}")
    connection.close()
    return found


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A connection that may write."""
    opened = database.connect()
    yield opened
    opened.close()


@pytest.fixture
def scene(database: Database) -> Iterator[Scene]:
    """A project on the database, with a writer."""
    opened = Scene(database)
    yield opened
    opened.close()
