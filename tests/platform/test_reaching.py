"""Look-ups outside requests outlive the database's absence."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import InterfaceError, InternalError, OperationalError, connection, connections, transaction
from psycopg.errors import InFailedSqlTransaction, ReadOnlySqlTransaction

from kivuko.errors import RecordsUnavailable
from kivuko.platform import PlatformSettings, migrate, setup
from kivuko.platform.changes import configuration_version
from kivuko.platform.entrances import inbox_by_secret, webhook_by_address
from kivuko.platform.projects.models import Project
from kivuko.platform.reaching import is_away, reaching
from own_platform import KEY, Place
from records.own_postgresql import OwnServer, is_installed, own_postgresql


@contextmanager
def own_database(folder: Path) -> Iterator[tuple[OwnServer, PlatformSettings]]:
    """A server that the test may stop, with a migrated platform."""
    with own_postgresql() as server:
        parts = dict(part.split("=") for part in server.address.split())
        address = f"postgresql://{parts['user']}@/postgres?host={parts['host']}"
        settings = PlatformSettings(folder, address, "tests", (KEY,))
        setup(settings)
        migrate()
        yield server, settings
        connections.close_all()


@pytest.mark.postgres
@pytest.mark.skipif(not is_installed(), reason="PostgreSQL 15 is not installed")
def test_a_server_that_was_away_is_found_again_and_a_restart_between_look_ups_is_not_noticed(tmp_path: Path) -> None:
    with own_database(tmp_path) as (server, _):
        assert configuration_version() == 0
        server.stop("immediate")
        for look_up in (configuration_version, lambda: inbox_by_secret("x"), lambda: webhook_by_address("0" * 32)):
            with pytest.raises(RecordsUnavailable, match="cannot be reached"):
                look_up()
        server.start()
        assert configuration_version() == 0
        server.stop("immediate")
        server.start()
        assert configuration_version() == 0


def test_inside_a_transaction_nothing_is_closed(platform: Place) -> None:
    with transaction.atomic():
        Project.objects.create(name="a")
        with pytest.raises(RecordsUnavailable), reaching():
            raise OperationalError("away")
        assert Project.objects.filter(name="a").exists()
    assert Project.objects.filter(name="a").exists()


def test_other_errors_stay_what_they_are(sqlite_platform: Place) -> None:
    with pytest.raises(KeyError), reaching():
        raise KeyError("mine")


def test_a_folder_that_is_gone_is_said_so(sqlite_platform: Place) -> None:
    folder = Path(tempfile.mkdtemp())
    setup(PlatformSettings(folder / "data", secret_key="x"))
    with pytest.raises(RecordsUnavailable):
        configuration_version()
    with pytest.raises(RecordsUnavailable):
        migrate()
    shutil.rmtree(folder)


def test_settings_that_change_are_followed_by_every_thread(sqlite_platform: Place, tmp_path: Path, platform_file: Path) -> None:
    """Threads that live longer than the settings must not write to the database before."""
    Project.objects.create(name="before")
    seen: list[list[str]] = []
    go, looked = threading.Semaphore(0), threading.Semaphore(0)

    def look_twice() -> None:
        for _ in range(2):
            go.acquire()
            seen.append(list(Project.objects.values_list("name", flat=True)))
            looked.release()
        connection.close()

    thread = threading.Thread(target=look_twice)
    thread.start()
    go.release()
    looked.acquire()
    (tmp_path / "other").mkdir()
    shutil.copy(platform_file, tmp_path / "other" / "kivuko.db")
    setup(PlatformSettings(tmp_path / "other", secret_key="x", encryption_keys=(KEY,)))
    go.release()
    thread.join()
    assert seen == [["before"], []]


def test_only_a_database_that_cannot_be_used_is_away() -> None:
    def internal(cause: Exception) -> InternalError:
        error = InternalError("…")
        error.__cause__ = cause
        return error

    errors = [OperationalError(), InterfaceError(), internal(ReadOnlySqlTransaction()), internal(InFailedSqlTransaction())]
    assert [is_away(error) for error in errors] == [True, True, True, False]
