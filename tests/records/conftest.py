"""The databases that every test of the records runs on: a SQLite file, and a PostgreSQL that is started here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kivuko.records.database import Connection, Database
from kivuko.records.postgresql import PostgresqlDatabase
from kivuko.records.schema import apply_schema
from kivuko.records.tables import TABLES
from records.own_postgresql import MISSING, OwnServer, is_installed, own_postgresql
from records.own_sqlite import empty_sqlite
from records.scenes import Scene


@pytest.fixture(scope="session")
def own_server() -> Iterator[OwnServer]:
    """A PostgreSQL of our own, ended after the last test."""
    if not is_installed():
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    with own_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql(own_server: OwnServer) -> PostgresqlDatabase:
    """The server's database, with the schema."""
    database = PostgresqlDatabase(own_server.address)
    connection = database.connect()
    apply_schema(connection)
    connection.close()
    return database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """An empty database with the schema: each test runs once per kind."""
    if request.param == "sqlite":
        return empty_sqlite(tmp_path)
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
