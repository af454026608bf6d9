"""Everybody's caches follow one number."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.utils import timezone

from kivuko.errors import RecordsUnavailable
from kivuko.platform.changes import configuration_change, configuration_version, look, on_configuration_change
from kivuko.platform.inbox.changing import inboxes_of, rotate_inbox
from kivuko.platform.inbox.models import InboxSecret
from kivuko.platform.limits import all_limits, limit_changed, tell_limits_to
from kivuko.platform.projects.changing import update_project
from kivuko.platform.projects.models import ConfigurationVersion
from kivuko.records import new_id
from own_platform import Place, the_id, workflow


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """The numbers at which listeners were called."""
    numbers: list[int] = []
    stop = on_configuration_change(lambda: numbers.append(configuration_version()))
    yield numbers
    stop()


def test_listeners_hear_of_a_change_after_its_commit(platform: Place, heard: list[int]) -> None:
    with configuration_change():
        assert heard == []
    assert heard == [1]
    assert configuration_version() == 1


def test_a_change_that_is_undone_is_none(platform: Place, heard: list[int]) -> None:
    with pytest.raises(ZeroDivisionError):
        _change_and_fail()
    assert (configuration_version(), heard) == (0, [])


def test_a_change_inside_a_change_is_told_once(platform: Place, heard: list[int]) -> None:
    with configuration_change(), configuration_change():
        pass
    assert heard == [2]


def test_a_change_of_another_process_is_seen_by_looking(platform: Place, heard: list[int]) -> None:
    with configuration_change():
        pass
    ConfigurationVersion.objects.update(number=7)
    assert heard == [1]
    assert look()
    assert heard == [1, 7]
    assert not look()


def test_a_listener_that_met_a_database_that_was_away_is_told_again_and_the_others_are_told_anyway(platform: Place) -> None:
    told: list[str] = []

    def away() -> None:
        told.append("away")
        if told.count("away") == 1:
            raise RecordsUnavailable

    stops = [on_configuration_change(away), on_configuration_change(lambda: told.append("other"))]
    with configuration_change():
        pass
    assert told == ["away", "other"]
    assert look()
    assert told == ["away", "other"] * 2
    assert not look()
    for stop in stops:
        stop()


def test_an_old_address_whose_overlap_is_over_is_told_like_a_change(platform: Place, heard: list[int]) -> None:
    project = platform.project()
    rotate_inbox(inboxes_of(project.id)[0].id, 60, actor=platform.admin)
    told = len(heard)
    assert not look()
    InboxSecret.objects.filter(ends_at__isnull=False).update(ends_at=timezone.now())
    assert look()
    assert len(heard) == told + 1
    assert InboxSecret.objects.count() == 1
    assert not look()


def test_who_has_ended_its_subscription_hears_no_more(platform: Place) -> None:
    numbers: list[int] = []
    stop = on_configuration_change(lambda: numbers.append(1))
    stop()
    stop()
    with configuration_change():
        pass
    assert numbers == []


def test_changes_of_several_threads_are_all_counted(platform: Place) -> None:
    def change() -> None:
        for _ in range(5):
            with configuration_change():
                pass
        connection.close()

    threads = [threading.Thread(target=change) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert configuration_version() == 20


def test_limits_are_told_once_at_start_and_after_each_change(platform: Place) -> None:
    project = platform.project(concurrency=3)
    written = workflow(concurrency=2)
    platform.save(project, written)
    told: list[tuple[bytes, int | None]] = []
    tell_limits_to(lambda limit: told.append((limit.scope_id, limit.max_live)))  # type: ignore[arg-type, return-value]
    assert sorted(told) == sorted([(project.id, 3), (the_id(written), 2)])
    assert len(all_limits()) == 2
    told.clear()
    platform.save(project, {**written, "concurrency": None})
    platform.save(project, {**written, "concurrency": None, "name": "Other"})
    update_project(project.id, {"concurrency": 1}, actor=platform.admin)
    assert told == [(the_id(written), None), (project.id, 1)]


def test_a_limit_that_was_not_committed_is_not_told(platform: Place) -> None:
    told: list[object] = []
    tell_limits_to(told.append)  # type: ignore[arg-type]
    with transaction.atomic():
        limit_changed(new_id(), 1)
        transaction.set_rollback(True)
    assert told == []


def _change_and_fail() -> None:
    with configuration_change():
        _ = 1 / 0
