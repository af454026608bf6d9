"""A SQLite installation moves to PostgreSQL with all it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import models

from kivuko.errors import InputError, RecordsUnavailable
from kivuko.platform import PlatformSettings, setup
from kivuko.platform.accounts.models import User
from kivuko.platform.accounts.tokens import actor_of_token, new_token
from kivuko.platform.credentials.bodies import create_credential, credential_body
from kivuko.platform.entrances import inbox_by_secret
from kivuko.platform.history.models import Run
from kivuko.platform.inbox.changing import inbox_url, inboxes_of
from kivuko.platform.moving import move_platform
from kivuko.platform.settings import current, records_database
from kivuko.platform.workflows.snapshots import read_snapshot
from kivuko.records import Cause, Input, Origin, Records, StartWork, new_start
from own_platform import Place, empty_database, job, the_id, workflow

pytestmark = pytest.mark.postgres


@pytest.fixture
def target(migrated_postgresql: PlatformSettings) -> Iterator[PlatformSettings]:
    """An empty PostgreSQL."""
    setup(migrated_postgresql)
    empty_database()
    yield migrated_postgresql
    setup(migrated_postgresql)
    empty_database()


def rows() -> dict[str, list[dict[str, Any]]]:
    """Everything the platform has in its database."""
    managed = [model for model in apps.get_models() if model._meta.managed]
    return {model._meta.db_table: _values(model) for model in managed}


def _values(model: type[models.Model]) -> list[dict[str, Any]]:
    found = model._base_manager.order_by("pk").values()
    return [{key: bytes(value) if isinstance(value, memoryview) else value for key, value in row.items()} for row in found]


def furnish(platform: Place) -> dict[str, Any]:
    """Something of everything."""
    project = platform.project(concurrency=3)
    made = create_credential(project.id, {"name": "dhis2", "body": {"password": "p"}}, actor=platform.admin)
    one = job(credential_id=str(made.id))
    saved = platform.save(project, workflow(jobs=[one]))
    assert platform.admin.user_id is not None
    token = new_token(platform.admin.user_id, actor=platform.admin)
    records = Records(records_database())
    start = new_start(saved.current.document.id, saved.snapshot_id, the_id(one), Cause.MANUAL, (the_id(one),))
    records.submit(StartWork(start, Origin(project.id), Input())).result(10)
    records.close()
    url = inbox_url(inboxes_of(project.id)[0].id)
    return {
        "project": project.id,
        "credential": made.id,
        "snapshot": saved.snapshot_id,
        "token": token.text,
        "url": url,
        "run": start.runs[0][0],
    }


def test_everything_is_there_afterwards_and_works(target: PlatformSettings, sqlite_platform: Place) -> None:
    had = furnish(sqlite_platform)
    before = rows()
    told: dict[str, int] = {}
    total = move_platform(sqlite_platform.settings, target, told=lambda table, count: told.update({table: count}))
    assert current() == target
    assert rows() == before
    assert total == sum(told.values())
    assert {"projects_project", "workflows_snapshot", "run", "live_attempt"} <= set(told)
    assert credential_body(had["credential"], had["project"]) == {"password": "p"}
    assert inbox_by_secret(had["url"].rpartition("/")[2]) is not None
    assert read_snapshot(had["snapshot"]).project_id == had["project"]
    assert actor_of_token(had["token"]) is not None
    assert Run.objects.get().id == had["run"]


def test_a_target_that_is_in_use_is_refused(target: PlatformSettings, sqlite_platform: Place) -> None:
    furnish(sqlite_platform)
    setup(target)
    User.objects.create(email="there@example.org")
    with pytest.raises(InputError, match="has users already"):
        move_platform(sqlite_platform.settings, target)


def test_a_move_that_breaks_off_leaves_the_target_empty(target: PlatformSettings, sqlite_platform: Place) -> None:
    furnish(sqlite_platform)

    def fail(table: str, count: int) -> None:
        if table == "run":
            raise RecordsUnavailable("away")

    with pytest.raises(RecordsUnavailable):
        move_platform(sqlite_platform.settings, target, told=fail)
    setup(target)
    assert not any(rows().values())
    assert Run.objects.count() == 0
    assert move_platform(sqlite_platform.settings, target) > 0
