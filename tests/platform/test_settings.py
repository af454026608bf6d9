"""Where the platform's database is, and that it is used as the records use it."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection, transaction

from kivuko.errors import InputError
from kivuko.platform import MailSettings, PlatformSettings, migrate, setup
from kivuko.platform.missing import missing_migrations
from kivuko.platform.projects.models import Project
from kivuko.platform.settings import records_database
from kivuko.records import Records, SqliteDatabase, new_id
from kivuko.records.claims import SetLimit
from own_platform import KEY, Place

SECOND_START = """
import sys
from pathlib import Path
from kivuko.platform import PlatformSettings, migrate, setup
setup(PlatformSettings(data_folder=Path(sys.argv[1])))
missing = migrate()
print(missing, [name for name in sys.modules if ".migrations." in name and not name.startswith("django.db.migrations.")])
"""


def test_the_sqlite_in_use_is_the_one_that_cannot_corrupt_a_database(sqlite_platform: Place) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_version()")
        (version,) = cursor.fetchone()
    assert sys.modules["sqlite3"].__name__ == "pysqlite3"
    assert tuple(map(int, version.split("."))) >= (3, 51, 3)


def test_a_fresh_process_has_that_sqlite_too() -> None:
    code = "import kivuko.platform, sqlite3, django.db.backends.sqlite3.base as b; print(b.Database.sqlite_version_info >= (3, 51, 3))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("auto_vacuum", 2), ("foreign_keys", 1), ("secure_delete", 1), ("wal_autocheckpoint", 0)],
)
def test_the_orm_opens_a_file_as_the_records_do(sqlite_platform: Place, pragma: str, value: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {pragma}")
        assert cursor.fetchone() == (value,)


def test_opening_a_connection_does_not_wait_for_whoever_writes(sqlite_platform: Place) -> None:
    connection.close()
    database = records_database()
    writing = database.connect()
    writing.begin()
    try:
        # One that took the write lock would fail here: what it waits for is this thread's.
        assert not Project.objects.filter(name="not there").exists()
    finally:
        writing.close()


def test_migrating_twice_does_nothing(platform: Place) -> None:
    assert missing_migrations() == []
    assert migrate() == []


def test_a_migration_that_is_not_in_the_list_is_applied(platform: Place) -> None:
    """The newest of the records' own: those look by themselves at what they have done."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(name) FROM django_migrations WHERE app = 'history'")
        (newest,) = cursor.fetchone()
        cursor.execute("DELETE FROM django_migrations WHERE app = 'history' AND name = %s", [newest])
    assert migrate() == [f"history.{newest}"]
    assert missing_migrations() == []


def test_a_database_of_a_newer_version_lacks_nothing(platform: Place) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('history', '9999_later', CURRENT_TIMESTAMP)")
    assert migrate() == []


def test_a_start_with_nothing_to_migrate_loads_no_migration(sqlite_platform: Place) -> None:
    done = subprocess.run([sys.executable, "-c", SECOND_START, str(sqlite_platform.settings.data_folder)], capture_output=True, text=True)
    assert done.stdout == "[] []\n", done.stderr


def test_the_models_are_what_the_migrations_make(sqlite_platform: Place) -> None:
    call_command(
        "makemigrations", "accounts", "projects", "workflows", "inbox", "credentials", "audit", check=True, dry_run=True, verbosity=0
    )


def test_ids_come_back_as_ids(platform: Place) -> None:
    project = Project.objects.create(name="a")
    assert Project.objects.get(id=project.id).id == project.id
    assert Project.objects.get(id=str(project.id)).id == project.id
    assert list(Project.objects.filter(id__in=[project.id, new_id()]).values_list("id", flat=True)) == [project.id]


def test_ids_take_16_bytes(platform: Place) -> None:
    Project.objects.create(name="a")
    size = "length(id)" if connection.vendor == "sqlite" else "pg_column_size(id)"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {size} FROM projects_project")
        assert cursor.fetchall() == [(16,)]


def test_handing_to_the_writer_inside_a_transaction_raises_instead_of_hanging(sqlite_platform: Place) -> None:
    records = Records(records_database())
    limit = SetLimit(new_id(), 1)
    try:
        with transaction.atomic(), pytest.raises(RuntimeError, match="waits for that transaction"):
            records.submit(limit)
        assert records.submit(limit).result(10) is None
    finally:
        records.close()


def test_a_write_waits_until_the_writer_has_had_its_turn(sqlite_platform: Place) -> None:
    database = records_database()
    assert isinstance(database, SqliteDatabase)
    done = threading.Event()

    def write() -> None:
        Project.objects.create(name="from-a-thread")
        connection.close()
        done.set()

    with database.turns:
        writing = threading.Thread(target=write)
        writing.start()
        assert not done.wait(0.05)
    assert done.wait(10)
    writing.join()


def test_the_turn_is_given_back_after_a_commit_a_rollback_and_a_failure(sqlite_platform: Place) -> None:
    database = records_database()
    assert isinstance(database, SqliteDatabase)
    with transaction.atomic():
        Project.objects.create(name="kept")
        assert database.turns.held_here
    assert not database.turns.held_here
    with pytest.raises(IntegrityError), transaction.atomic():
        Project.objects.bulk_create([Project(name="undone"), Project(name="kept")])
    assert not database.turns.held_here
    assert list(Project.objects.values_list("name", flat=True)) == ["kept"]


def test_closing_the_connection_inside_a_transaction_gives_the_turn_back(sqlite_platform: Place) -> None:
    database = records_database()
    assert isinstance(database, SqliteDatabase)
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    assert database.turns.held_here
    connection.close()
    assert not database.turns.held_here


def test_a_transaction_that_cannot_begin_gives_the_turn_back(sqlite_platform: Place) -> None:
    database = records_database()
    assert isinstance(database, SqliteDatabase)
    with connection.execute_wrapper(_no_begin), pytest.raises(OperationalError, match="locked"), transaction.atomic():
        pass
    assert not database.turns.held_here
    Project.objects.create(name="later")


def test_orm_and_writer_write_side_by_side(platform: Place) -> None:
    records = Records(records_database())
    try:
        waiting = []
        for number in range(40):
            waiting.append(records.submit(SetLimit(new_id(), 1)))
            Project.objects.create(name=f"p{number}")
            with transaction.atomic():
                Project.objects.filter(name=f"p{number}").update(description="seen")
        assert [each.result(10) for each in waiting] == [None] * 40
    finally:
        records.close()
    assert Project.objects.filter(description="seen").count() == 40


def test_mail_and_public_address_become_djangos_settings(tmp_path: Path) -> None:
    mail = MailSettings("mail.example.org", 587, "kivuko", "a password", tls=True)
    setup(PlatformSettings(tmp_path, secret_key="x", public_url="https://kivuko.example.org", mail=mail))
    assert settings.KIVUKO_PUBLIC_URL == "https://kivuko.example.org"
    assert (settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS) == ("mail.example.org", 587, True)
    assert settings.DEFAULT_FROM_EMAIL == "kivuko@kivuko.example.org"
    assert settings.CSRF_TRUSTED_ORIGINS == ["https://kivuko.example.org"]
    assert settings.SESSION_COOKIE_SECURE is True
    assert "a password" not in repr(mail)


def test_secrets_are_not_shown_when_settings_are_printed(tmp_path: Path) -> None:
    shown = repr(PlatformSettings(tmp_path, "postgresql://u:secret-1@h/d", "secret-2", (KEY,)))
    assert "secret-" not in shown
    assert KEY not in shown


def test_an_encryption_key_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="32 bytes"):
        setup(PlatformSettings(tmp_path, encryption_keys=("c2hvcnQ=",)))


def _no_begin(run: Any, sql: str, *rest: Any) -> Any:
    if sql.startswith("BEGIN"):
        raise OperationalError("database is locked")
    return run(sql, *rest)
