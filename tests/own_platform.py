"""A platform for tests: its fixtures for both databases, and words to say what a project has.

Outside ``tests/platform`` because that name belongs to the standard library. Use it in a conftest:
``from own_platform import migrated_postgresql, platform, platform_file, sqlite_platform`` and the fixture ``own_server`` of the records.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, connections

from kivuko.platform import PlatformSettings, migrate, setup
from kivuko.platform.accounts.actors import Actor
from kivuko.platform.accounts.administrator import actor_of_user
from kivuko.platform.accounts.models import User
from kivuko.platform.changes import look
from kivuko.platform.projects.changing import create_project
from kivuko.platform.projects.models import Project
from kivuko.platform.workflows.document import WorkflowDocument
from kivuko.platform.workflows.reading import read_document
from kivuko.platform.workflows.saving import Saved, save_workflow
from kivuko.records import Id, new_id
from records.own_postgresql import OwnServer

__all__ = [
    "KEY",
    "OTHER_KEY",
    "Place",
    "edge",
    "empty_database",
    "job",
    "migrated_postgresql",
    "platform",
    "platform_file",
    "sqlite_platform",
    "the_id",
    "trigger",
    "workflow",
]

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(range(32, 64))).decode()


@dataclass
class Place:
    """A platform on an empty, migrated database. ``admin`` is a user who owns the projects that are made here."""

    settings: PlatformSettings
    admin: Actor

    def project(self, name: str = "clinic", **values: Any) -> Project:
        """A new project."""
        made = create_project({"name": name, **values}, actor=self.admin)
        return Project.objects.get(id=made.settings.id)

    def user(self, email: str) -> Actor:
        """A new user."""
        return actor_of_user(User.objects.create(email=email))

    def save(self, project: Project, document: WorkflowDocument | Mapping[str, object], **options: Any) -> Saved:
        """Saves a workflow, given as JSON values or as a document."""
        found = document if isinstance(document, WorkflowDocument) else read_document(document, project_id=project.id)
        return save_workflow(project, found, author=self.admin, **options)


def job(name: str = "Referral", **values: object) -> dict[str, object]:
    """The JSON of a job."""
    return {"id": str(new_id()), "name": name, "adaptor": "common@3.0.0", "expression": "fn(state => state)", **values}


def edge(source: Mapping[str, object], target: Mapping[str, object], **values: object) -> dict[str, object]:
    """The JSON of an edge between a trigger or job and a job."""
    kind = "source_trigger_id" if "kind" in source else "source_job_id"
    return {"id": str(new_id()), kind: source["id"], "target_job_id": target["id"], **values}


def trigger(kind: str = "manual", **values: object) -> dict[str, object]:
    """The JSON of a trigger that is on."""
    return {"id": str(new_id()), "kind": kind, "enabled": True, **values}


def workflow(
    name: str = "Referrals",
    triggers: Sequence[Mapping[str, object]] = (),
    jobs: Sequence[Mapping[str, object]] = (),
    edges: Sequence[Mapping[str, object]] = (),
    **values: object,
) -> dict[str, object]:
    """The JSON of a workflow that is on."""
    parts = {"triggers": list(triggers), "jobs": list(jobs), "edges": list(edges)}
    return {"id": str(new_id()), "name": name, "enabled": True, **parts, **values}


def the_id(part: Mapping[str, object]) -> Id:
    """The id of a part that was written as JSON."""
    return Id.parse(str(part["id"]))


@pytest.fixture(scope="session")
def platform_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    folder = tmp_path_factory.mktemp("platform")
    setup(PlatformSettings(folder, secret_key="tests", encryption_keys=(KEY,)))
    migrate()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connections.close_all()
    return folder / "kivuko.db"


@pytest.fixture(scope="session")
def migrated_postgresql(own_server: OwnServer, tmp_path_factory: pytest.TempPathFactory) -> PlatformSettings:
    """The settings of a migrated database of the tests' own server."""
    with psycopg.connect(own_server.address, autocommit=True) as server:
        server.execute("CREATE DATABASE platform")
    parts = dict(part.split("=") for part in own_server.address.split())
    settings = PlatformSettings(
        tmp_path_factory.mktemp("data"),
        database=f"postgresql://{parts['user']}@/platform?host={parts['host']}",
        secret_key="tests",
        encryption_keys=(KEY,),
    )
    setup(settings)
    migrate()
    connections.close_all()
    return settings


@pytest.fixture
def sqlite_platform(platform_file: Path, tmp_path: Path) -> Iterator[Place]:
    """A platform on SQLite, for what does not depend on the database."""
    shutil.copy(platform_file, tmp_path / "kivuko.db")
    yield from _place(PlatformSettings(tmp_path, secret_key="tests", encryption_keys=(KEY,)))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def platform(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A platform on each database: each test runs once per kind."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_platform")
        return
    settings: PlatformSettings = request.getfixturevalue("migrated_postgresql")
    setup(settings)
    empty_database()
    yield from _place(settings)


def _place(settings: PlatformSettings) -> Iterator[Place]:
    setup(settings)
    admin = User.objects.create(email="admin@example.org", name="Amina", is_superuser=True)
    # The number of the test before is none of this database.
    look()
    yield Place(settings, actor_of_user(admin))
    connections.close_all()


def empty_database() -> None:
    """Takes all rows out of the PostgreSQL in use."""
    tables = [name for name in connection.introspection.table_names() if name not in ("django_migrations", "records_schema")]
    # Ten times faster than TRUNCATE, which makes new files.
    deletions = "".join(f"DELETE FROM {name};" for name in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"SET session_replication_role = replica; {deletions} RESET session_replication_role")
