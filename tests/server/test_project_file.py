"""A project file made into a project of the platform, again and again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.db import connections

from clockwork.fixtures import migrated_file
from kivuko.errors import ValidationFailed
from kivuko.platform import PlatformSettings, setup
from kivuko.platform.credentials.bodies import credential_body, credentials_of
from kivuko.platform.entrances import inbox_by_secret
from kivuko.platform.workflows.models import Snapshot, Workflow
from kivuko.platform.workflows.snapshots import current_snapshot
from kivuko.projects.microservice import MicroserviceJob, MicroserviceProject, MicroserviceTrigger
from kivuko.server.keyring import keyring
from kivuko.server.project_file import ServedProject, apply_project
from kivuko.server.project_ids import named_id
from kivuko.server.settings import ServerSettings

__all__ = ["migrated_file"]

MESSAGE = MicroserviceTrigger("new", "message", inclusion={"form": "a"})
BODY = {"username": "u", "password": "p"}


@pytest.fixture(autouse=True)
def _platform(migrated_file: Path, tmp_path: Path) -> Iterator[None]:
    """An empty platform on SQLite."""
    shutil.copy(migrated_file, tmp_path / "kivuko.db")
    keys = keyring(ServerSettings(), tmp_path)
    setup(PlatformSettings(tmp_path, encryption_keys=keys.encryption_keys))
    yield
    connections.close_all()


def job(name: str, trigger: MicroserviceTrigger = MESSAGE, credential: str | None = None, *, enabled: bool = True) -> MicroserviceJob:
    """A job."""
    return MicroserviceJob(name, "fn(s => s)", "@openfn/language-common@3.3.4", trigger, credential, enabled)


def after(source: str, kind: str = "success") -> MicroserviceTrigger:
    """A trigger that waits for a job."""
    return MicroserviceTrigger(f"after-{source}", kind, source=source)  # type: ignore[arg-type]


def applied(*jobs: MicroserviceJob, sync: bool = False, credentials: Mapping[str, Mapping[str, object]] | None = None) -> ServedProject:
    """The project after a start with these jobs."""
    return apply_project(MicroserviceProject(jobs, credentials or {}), sync=sync)


def trigger_of(name: str) -> object:
    """The current trigger of a job's workflow."""
    return current_snapshot(named_id("workflow", name)).document.triggers[0]


def test_each_job_is_a_workflow_that_its_trigger_starts() -> None:
    served = applied(job("one"), job("two", MicroserviceTrigger("nightly", "cron", cron="0 0 * * *", timezone="Africa/Kampala")))
    assert [each.name for each in Workflow.objects.order_by("name")] == ["one", "two"]
    entrance = inbox_by_secret(served.secret)
    assert entrance is not None
    assert [target.job_names for target in entrance.targets] == [("one",)]
    assert entrance.reply == "before_start"
    assert getattr(trigger_of("two"), "timezone", None) == "Africa/Kampala"


def test_a_second_start_with_the_same_file_changes_nothing() -> None:
    jobs = (job("one", credential="c"), job("two", after("one")))
    first = applied(*jobs, credentials={"c": BODY})
    snapshots = Snapshot.objects.count()
    versions = [each.lock_version for each in credentials_of(first.project_id)]
    assert applied(*jobs, credentials={"c": BODY}) == first
    assert Snapshot.objects.count() == snapshots == 2
    assert [each.lock_version for each in credentials_of(first.project_id)] == versions


def test_jobs_may_wait_for_later_ones_and_for_each_other() -> None:
    applied(job("one", after("two")), job("two", after("three")), job("three", after("one", "failure")))
    assert [getattr(trigger_of(name), "source_job_id", None) for name in ("one", "two", "three")] == [
        named_id("job", name) for name in ("two", "three", "one")
    ]


def test_what_the_file_no_longer_has_is_switched_off_and_may_come_back() -> None:
    applied(job("one", credential="c"), job("two", after("one")), credentials={"c": BODY})
    served = applied(job("three"))
    assert {each.name: each.enabled for each in Workflow.objects.all()} == {"one": False, "two": False, "three": True}
    assert credentials_of(served.project_id) == []
    again = applied(job("one"), job("three"))
    entrance = inbox_by_secret(again.secret)
    assert entrance is not None
    assert sorted(target.job_names for target in entrance.targets) == [("one",), ("three",)]


def test_credentials_are_encrypted_and_follow_the_file() -> None:
    served = applied(job("one", credential="my-c"), credentials={"my-c": BODY})
    (found,) = credentials_of(served.project_id)
    assert dict(credential_body(found.id, served.project_id)) == BODY
    applied(job("one", credential="my-c"), credentials={"my-c": {"username": "v"}})
    assert dict(credential_body(found.id, served.project_id)) == {"username": "v"}


def test_sync_is_a_property_of_the_inbox_and_can_be_taken_back() -> None:
    entrance = inbox_by_secret(applied(job("one"), sync=True).secret)
    assert entrance is not None
    assert entrance.reply == "after_completion"
    entrance = inbox_by_secret(applied(job("one")).secret)
    assert entrance is not None
    assert entrance.reply == "before_start"


def test_a_job_that_is_off_is_not_started() -> None:
    entrance = inbox_by_secret(applied(job("one", enabled=False)).secret)
    assert entrance is not None
    assert entrance.targets == ()


def test_code_that_does_not_parse_stops_the_start() -> None:
    with pytest.raises(ValidationFailed, match="expression"):
        apply_project(MicroserviceProject((MicroserviceJob("one", "fn(", "common@1.0.0", MESSAGE),), {}), sync=False)


def test_ids_are_the_same_for_the_same_names_only() -> None:
    assert named_id("job", "a") == named_id("job", "a")
    assert len({named_id("job", "a"), named_id("job", "b"), named_id("edge", "a"), named_id("jo", "ba")}) == 4
    assert (named_id("a")[6] >> 4, named_id("a")[8] >> 6) == (8, 2)
