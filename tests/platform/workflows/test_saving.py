"""Saving workflows on both databases."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from kivuko.errors import ChangedMeanwhile, Conflict, ObjectMissing, ValidationFailed
from kivuko.platform.audit.models import AuditEntry
from kivuko.platform.changes import configuration_version
from kivuko.platform.inbox.changing import inboxes_of
from kivuko.platform.projects.changing import delete_project, update_project
from kivuko.platform.settings import records_database
from kivuko.platform.workflows.models import JobRow, Snapshot, TriggerRow, Workflow
from kivuko.platform.workflows.saving import delete_workflow, restore_snapshot
from kivuko.platform.workflows.snapshots import current_snapshot, enabled_workflows, read_snapshot
from kivuko.records import Cause, Id, Input, Origin, Records, StartWork, new_id, new_start
from own_platform import Place, edge, job, the_id, trigger, workflow


def refused(platform: Place, project: Any, written: dict[str, object]) -> dict[str, list[str]]:
    with pytest.raises(ValidationFailed) as error:
        platform.save(project, written)
    return error.value.errors


def ran(job_id: Id, project_id: Id, workflow_id: Id, snapshot_id: Id) -> None:
    """Gives a job a Run."""
    records = Records(records_database())
    start = new_start(workflow_id, snapshot_id, job_id, Cause.MANUAL, (job_id,))
    records.submit(StartWork(start, Origin(project_id), Input())).result(10)
    records.close()


def test_a_saved_workflow_is_read_back_as_it_was(platform: Place) -> None:
    project, one, start = platform.project(), job(), trigger()
    written = workflow(triggers=[start], jobs=[one], edges=[edge(start, one)], positions={str(one["id"]): {"x": 1, "y": 2}})
    saved = platform.save(project, written)
    current = current_snapshot(the_id(written))
    assert saved.changed
    assert current.document == saved.current.document
    assert current.lock_version == 1
    assert current.as_json()["snapshot_id"] == str(saved.snapshot_id)
    assert current.document.project_id == project.id


def test_every_change_is_a_snapshot_and_old_ones_stay(platform: Place) -> None:
    project = platform.project()
    written = workflow("First")
    first = platform.save(project, written)
    second = platform.save(project, {**written, "name": "Second"}, lock_version=1)
    assert (first.current.lock_version, second.current.lock_version) == (1, 2)
    assert read_snapshot(first.snapshot_id).name == "First"
    assert read_snapshot(second.snapshot_id).name == "Second"


def test_saving_the_same_again_makes_no_snapshot(platform: Place) -> None:
    project, written = platform.project(), workflow(jobs=[job()])
    first = platform.save(project, written)
    version = configuration_version()
    again = platform.save(project, first.current.document)
    assert (again.changed, again.snapshot_id) == (False, first.snapshot_id)
    assert Snapshot.objects.count() == 1
    assert configuration_version() == version


def test_who_is_behind_gets_the_current_workflow(platform: Place) -> None:
    project, written = platform.project(), workflow("First")
    platform.save(project, written)
    platform.save(project, {**written, "name": "Second"}, lock_version=1)
    with pytest.raises(ChangedMeanwhile) as error:
        platform.save(project, {**written, "name": "Third"}, lock_version=1)
    assert error.value.current is not None
    assert (error.value.current["name"], error.value.current["lock_version"]) == ("Second", 2)


def test_a_new_workflow_may_not_take_an_id_that_is_there(platform: Place) -> None:
    project, written = platform.project(), workflow()
    platform.save(project, written)
    with pytest.raises(Conflict):
        platform.save(project, written, new=True)
    with pytest.raises(Conflict):
        platform.save(platform.project("other"), written)


def test_an_invalid_workflow_changes_nothing(platform: Place) -> None:
    project, written = platform.project(), workflow("First")
    platform.save(project, written)
    version = configuration_version()
    refused(platform, project, {**written, "jobs": [job(expression="fn(")]})
    refused(platform, project, {**written, "jobs": [job(credential_id=str(new_id()))]})
    assert (current_snapshot(the_id(written)).lock_version, configuration_version()) == (1, version)


def test_what_a_workflow_refers_to_must_be_in_its_project(platform: Place) -> None:
    project, other = platform.project(), platform.project("other")
    foreign_job, foreign = job("Foreign"), workflow("Foreign")
    platform.save(other, {**foreign, "jobs": [foreign_job]})
    triggers = [
        trigger("message", inbox_id=str(inboxes_of(other.id)[0].id)),
        trigger("webhook", auth_method_ids=[str(new_id())]),
        trigger("success", source_job_id=foreign_job["id"]),
        trigger("failure", source_workflow_id=foreign["id"]),
    ]
    found = refused(platform, project, workflow(triggers=triggers, jobs=[job(credential_id=str(new_id()))]))
    assert set(found) == {
        "triggers.0.inbox_id",
        "triggers.1.auth_method_ids",
        "triggers.2.source_job_id",
        "triggers.3.source_workflow_id",
        "jobs.0.credential_id",
    }


def test_a_chain_may_start_at_its_own_jobs_and_at_those_of_other_workflows(platform: Place) -> None:
    project, source = platform.project(), job("Source")
    first = workflow("First", jobs=[source])
    platform.save(project, first)
    own = job("Own")
    triggers = [
        trigger("success", source_job_id=source["id"]),
        trigger("failure", source_workflow_id=first["id"]),
        trigger("always", source_job_id=own["id"]),
    ]
    assert platform.save(project, workflow("Second", triggers=triggers, jobs=[own])).changed


def test_names_and_paths_are_unique_in_a_project(platform: Place) -> None:
    project = platform.project()
    platform.save(project, workflow("Taken", triggers=[trigger("webhook", custom_path="taken")]))
    hooks = [trigger("webhook", custom_path=path) for path in ("taken", "free", "twice", "twice")]
    found = refused(platform, project, workflow("Taken", triggers=hooks))
    assert set(found) == {"name", "triggers.0.custom_path", "triggers.2.custom_path", "triggers.3.custom_path"}
    assert platform.save(platform.project("other"), workflow("Taken", triggers=[trigger("webhook", custom_path="taken")])).changed


def test_two_triggers_may_exchange_their_paths(platform: Place) -> None:
    project = platform.project()
    one, two = trigger("webhook", custom_path="one"), trigger("webhook", custom_path="two")
    written = workflow(triggers=[one, two])
    platform.save(project, written)
    assert platform.save(project, {**written, "triggers": [{**one, "custom_path": "two"}, {**two, "custom_path": "one"}]}).changed


def test_a_job_id_of_another_workflow_is_taken(platform: Place) -> None:
    project, one = platform.project(), job()
    platform.save(project, workflow("First", jobs=[one]))
    assert set(refused(platform, project, workflow("Second", jobs=[one]))) == {"jobs.0.id"}


def test_a_job_that_is_left_out_goes_unless_it_has_history(platform: Place) -> None:
    project, never, once, stays = platform.project(), job("Never"), job("Once"), job("Stays")
    written = workflow(jobs=[never, once, stays])
    saved = platform.save(project, written)
    ran(the_id(once), project.id, the_id(written), saved.snapshot_id)
    platform.save(project, {**written, "jobs": [stays]})
    rows = {row.name: row.archived_at is not None for row in JobRow.objects.all()}
    assert rows == {"Once": True, "Stays": False}
    platform.save(project, {**written, "jobs": [once, stays]})
    assert JobRow.objects.get(name="Once").archived_at is None


def test_the_index_follows_the_document(platform: Place) -> None:
    project, one, start = platform.project(), job("One"), trigger("cron", cron_expression="@daily")
    written = workflow(triggers=[start], jobs=[one])
    platform.save(project, written)
    platform.save(project, {**written, "jobs": [{**one, "name": "Renamed", "enabled": False}], "triggers": []})
    row = JobRow.objects.get()
    assert (row.name, row.enabled, row.adaptor, row.language) == ("Renamed", False, "@openfn/language-common@3.0.0", "javascript")
    assert TriggerRow.objects.count() == 0


def test_a_job_that_others_wait_for_cannot_be_removed(platform: Place) -> None:
    project, source = platform.project(), job("Source")
    first = workflow("First", jobs=[source])
    platform.save(project, first)
    waiting = workflow("Second", triggers=[trigger("success", source_job_id=source["id"])])
    platform.save(project, waiting)
    assert "'Second'" in refused(platform, project, {**first, "jobs": []})["jobs"][0]
    with pytest.raises(Conflict, match="'Second'"):
        delete_workflow(the_id(first), author=platform.admin)
    delete_workflow(the_id(waiting), author=platform.admin)
    delete_workflow(the_id(first), author=platform.admin)


def test_a_workflow_whose_end_others_wait_for_cannot_be_deleted(platform: Place) -> None:
    project, first = platform.project(), workflow("First")
    platform.save(project, first)
    platform.save(project, workflow("Second", triggers=[trigger("always", source_workflow_id=first["id"])]))
    with pytest.raises(Conflict):
        delete_workflow(the_id(first), author=platform.admin)


def test_a_deleted_workflow_is_gone_and_its_name_is_free(platform: Place) -> None:
    project, written = platform.project(), workflow("Name", triggers=[trigger("webhook", custom_path="path")])
    platform.save(project, written)
    delete_workflow(the_id(written), author=platform.admin)
    with pytest.raises(ObjectMissing):
        current_snapshot(the_id(written))
    with pytest.raises(ObjectMissing):
        delete_workflow(the_id(written), author=platform.admin)
    with pytest.raises(Conflict):
        platform.save(project, written)
    assert platform.save(project, workflow("Name", triggers=[trigger("webhook", custom_path="path")])).changed


def test_restoring_makes_an_old_version_the_newest(platform: Place) -> None:
    project, one, written = platform.project(), job("One"), workflow()
    first = platform.save(project, {**written, "jobs": [one]})
    platform.save(project, {**written, "jobs": [job("Two")]})
    restored = restore_snapshot(the_id(written), first.snapshot_id, author=platform.admin, lock_version=2)
    assert restored.current.lock_version == 3
    assert restored.current.document == first.current.document
    assert restored.snapshot_id != first.snapshot_id
    with pytest.raises(ChangedMeanwhile):
        restore_snapshot(the_id(written), first.snapshot_id, author=platform.admin, lock_version=2)


def test_a_snapshot_of_another_workflow_cannot_be_restored(platform: Place) -> None:
    project, one, two = platform.project(), workflow("One"), workflow("Two")
    saved = platform.save(project, one)
    platform.save(project, two)
    with pytest.raises(ObjectMissing):
        restore_snapshot(the_id(two), saved.snapshot_id, author=platform.admin)


def test_what_is_not_there_is_missing(sqlite_platform: Place) -> None:
    with pytest.raises(ObjectMissing):
        read_snapshot(new_id())
    with pytest.raises(ObjectMissing):
        current_snapshot(new_id())


def test_nothing_is_saved_into_a_deleted_project(platform: Place) -> None:
    project = platform.project()
    delete_project(project.id, actor=platform.admin)
    with pytest.raises(ObjectMissing):
        platform.save(project, workflow())


def test_enabled_workflows_are_those_that_are_on(platform: Place) -> None:
    project = platform.project()
    on = platform.save(project, workflow("On"))
    platform.save(project, workflow("Off", enabled=False))
    gone = workflow("Gone")
    platform.save(project, gone)
    delete_workflow(the_id(gone), author=platform.admin)
    assert list(enabled_workflows()) == [(on.current.document, on.snapshot_id)]


def test_saving_and_deleting_are_noted(platform: Place) -> None:
    project, written = platform.project(), workflow("First")
    platform.save(project, written)
    platform.save(project, {**written, "enabled": False})
    delete_workflow(the_id(written), author=platform.admin)
    entries = AuditEntry.objects.filter(item_type="workflow").order_by("id")
    assert [each.event for each in entries] == ["created", "updated", "deleted"]
    assert {each.actor_id for each in entries} == {platform.admin.user_id}
    assert entries[1].changes["before"]["enabled"] is True
    assert "name" not in entries[1].changes["before"]


def test_a_list_of_workflows_keeps_the_index_small(sqlite_platform: Place) -> None:
    project = sqlite_platform.project()
    for number in range(5):
        sqlite_platform.save(project, workflow(f"W{number}", jobs=[job()]))
    assert Workflow.objects.filter(project=project).count() == 5 == JobRow.objects.count()


def test_of_two_who_save_at_once_one_is_told_that_it_was_behind(platform: Place) -> None:
    project, written = platform.project(), workflow("First")
    platform.save(project, written)
    ready, outcomes = threading.Barrier(4), []

    def save(number: int) -> None:
        ready.wait(10)
        try:
            outcomes.append(platform.save(project, {**written, "name": f"By {number}"}, lock_version=1).current.lock_version)
        except ChangedMeanwhile:
            outcomes.append(0)
        finally:
            connection.close()

    threads = [threading.Thread(target=save, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [0, 0, 0, 2]
    assert Snapshot.objects.count() == 2


def test_a_project_that_keeps_nothing_has_no_cursor(platform: Place) -> None:
    project, one = platform.project(retention_policy="erase_all"), job()
    every_day = trigger("cron", cron_expression="@daily", cursor_job_id=one["id"])
    written = workflow(triggers=[every_day], jobs=[one])
    (sentence,) = refused(platform, project, written)["triggers.0.cursor_job_id"]
    assert "keeps no state" in sentence
    platform.save(platform.project("other"), {**written, "id": str(new_id()), "jobs": [one]})


def test_a_project_whose_schedules_have_cursors_cannot_stop_keeping(platform: Place) -> None:
    project, one = platform.project(), job()
    every_day = trigger("cron", cron_expression="@daily", cursor_job_id=one["id"])
    written = workflow("Daily", triggers=[every_day], jobs=[one])
    platform.save(project, written)
    with pytest.raises(ValidationFailed) as error:
        update_project(project.id, {"retention_policy": "erase_all"}, actor=platform.admin)
    assert "'Daily'" in error.value.errors["retention_policy"][0]
    platform.save(project, {**written, "triggers": []})
    assert update_project(project.id, {"retention_policy": "erase_all"}, actor=platform.admin).erases
