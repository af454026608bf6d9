"""The platform's catalogue: what execution asks, answered from memory until somebody changes something."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kivuko.errors import ObjectMissing
from kivuko.platform.credentials.bodies import create_credential, update_credential
from kivuko.platform.execution import PlatformCatalogue
from kivuko.platform.projects.models import Project
from kivuko.platform.rules import PlatformRules
from kivuko.records import new_id
from own_platform import Place, edge, job, the_id, trigger, workflow


@pytest.fixture
def catalogue(platform: Place) -> Iterator[PlatformCatalogue]:
    """Over the platform's rules."""
    rules = PlatformRules()
    made = PlatformCatalogue(rules)
    yield made
    made.close()
    rules.close()


def test_a_snapshot_is_the_workflow_as_it_was_saved(platform: Place, catalogue: PlatformCatalogue) -> None:
    project, start, only = platform.project(), trigger(), job()
    saved = platform.save(project, workflow("A", [start], [only], [edge(start, only)]))
    assert catalogue.document(saved.snapshot_id).job(the_id(only)) is not None


def test_a_snapshot_that_is_not_there_is_missing(platform: Place, catalogue: PlatformCatalogue) -> None:
    with pytest.raises(ObjectMissing):
        catalogue.document(new_id())


def test_a_credential_is_decrypted_once_until_it_changes(platform: Place, catalogue: PlatformCatalogue) -> None:
    project = platform.project()
    made = create_credential(project.id, {"name": "dhis2", "body": {"password": "old secret"}}, actor=platform.admin)
    assert catalogue.credential(made.id, project.id) == {"password": "old secret"}
    with CaptureQueriesContext(connection) as asked:
        assert catalogue.credential(made.id, project.id) == {"password": "old secret"}
    assert len(asked) == 0
    update_credential(made.id, {"body": {"password": "new secret"}}, actor=platform.admin)
    assert catalogue.credential(made.id, project.id) == {"password": "new secret"}


def test_another_projects_credential_is_missing(platform: Place, catalogue: PlatformCatalogue) -> None:
    mine, other = platform.project("mine"), platform.project("other")
    made = create_credential(mine.id, {"name": "dhis2", "body": {"password": "secret"}}, actor=platform.admin)
    catalogue.credential(made.id, mine.id)
    with pytest.raises(ObjectMissing):
        catalogue.credential(made.id, other.id)


def test_outputs_are_kept_unless_the_project_erases_all_and_nothing_hands_them_on(platform: Place) -> None:
    project = platform.project()
    start, first, second = trigger(), job("First"), job("Second")
    source = workflow("A", [start], [first, second], [edge(start, first), edge(start, second)])
    platform.save(project, source)
    behind, after = trigger("success", source_job_id=str(the_id(first))), job("After")
    platform.save(project, workflow("B", [behind], [after], [edge(behind, after)]))
    rules = PlatformRules()
    catalogue = PlatformCatalogue(rules)
    asked = (project.id, the_id(source))
    assert all(catalogue.keeps_output(*asked, each) for each in (the_id(first), the_id(second), None))
    Project.objects.filter(id=project.id).update(retention_policy="erase_all")
    rules.refresh()
    kept = [catalogue.keeps_output(*asked, each) for each in (the_id(first), the_id(second), None)]
    assert kept == [True, False, False]
    catalogue.close()
    rules.close()
