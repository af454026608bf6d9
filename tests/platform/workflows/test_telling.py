"""Who shows workflows hears of those that were saved or deleted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction

from kivuko.errors import ChangedMeanwhile, ValidationFailed
from kivuko.platform.workflows import telling
from kivuko.platform.workflows.saving import delete_workflow, restore_snapshot
from kivuko.platform.workflows.snapshots import current_snapshot
from kivuko.platform.workflows.telling import tell_workflows_to
from kivuko.records import Change
from own_platform import Place, job, the_id, workflow


@pytest.fixture
def told() -> Iterator[list[Change]]:
    """What was told."""
    heard: list[Change] = []
    tell_workflows_to(heard.extend)
    yield heard
    telling._tell.clear()


def test_a_workflow_that_is_saved_restored_or_deleted_is_told_after_the_commit(platform: Place, told: list[Change]) -> None:
    project, written = platform.project(), workflow("First")
    change = Change("workflow", project.id, the_id(written))
    with transaction.atomic():
        first = platform.save(project, written)
        assert told == []
    assert told == [change]
    platform.save(project, {**written, "name": "Second"})
    restore_snapshot(the_id(written), first.snapshot_id, author=platform.admin)
    delete_workflow(the_id(written), author=platform.admin)
    assert told == [change] * 4


def test_what_was_not_changed_is_not_told(platform: Place, told: list[Change]) -> None:
    project, written = platform.project(), workflow("First")
    platform.save(project, written)
    told.clear()
    platform.save(project, written)
    with pytest.raises(ChangedMeanwhile):
        platform.save(project, {**written, "name": "Second"}, lock_version=7)
    with pytest.raises(ValidationFailed):
        platform.save(project, {**written, "jobs": [job(expression="fn(")]})
    with transaction.atomic():
        platform.save(project, {**written, "name": "Second"})
        transaction.set_rollback(True)
    assert told == []


def test_a_listener_that_fails_does_not_undo_the_save(platform: Place, told: list[Change]) -> None:
    def fail(changes: object) -> None:
        raise LookupError("a defect of a listener")

    tell_workflows_to(fail)
    project, written = platform.project(), workflow("First")
    assert platform.save(project, written).changed
    assert current_snapshot(the_id(written)).document.name == "First"
