"""The platform's database for tests of schedules, notifications and operations: SQLite and PostgreSQL, migrated once each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection, connections

from clockwork.worlds import World
from kivuko.platform import PlatformSettings, migrate, setup
from records.conftest import own_server
from records.own_postgresql import OwnServer

__all__ = ["migrated_file", "migrated_server", "own_server", "world"]


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    folder = tmp_path_factory.mktemp("migrated")
    setup(PlatformSettings(folder))
    migrate()
    connections.close_all()
    return folder / "kivuko.db"


@pytest.fixture(scope="session")
def migrated_server(own_server: OwnServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a migrated database of its own on the server."""
    with psycopg.connect(own_server.address, autocommit=True) as server:
        server.execute("CREATE DATABASE clockwork")
    address = own_server.address.replace("dbname=postgres", "dbname=clockwork")
    host, user = (part.partition("=")[2] for part in address.split()[:2])
    url = f"postgresql:///clockwork?host={host}&user={user}"
    setup(PlatformSettings(tmp_path_factory.mktemp("server"), database=url))
    migrate()
    connections.close_all()
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A project with an owner on an empty database of each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "kivuko.db")
        setup(PlatformSettings(tmp_path, public_url="https://kivuko.example"))
    else:
        setup(PlatformSettings(tmp_path, database=request.getfixturevalue("migrated_server"), public_url="https://kivuko.example"))
        tables = [name for name in connection.introspection.table_names() if name not in ("django_migrations", "records_schema")]
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
    with World() as opened:
        yield opened
    connections.close_all()
