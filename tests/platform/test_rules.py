"""What the records are told about chains, lost Attempts and projects that keep nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from kivuko.platform.projects.changing import delete_project, update_project
from kivuko.platform.projects.models import Project
from kivuko.platform.rules import PlatformRules
from kivuko.platform.workflows.saving import delete_workflow
from kivuko.records import Cause, Id, RunEnd, WorkflowEnd, new_id
from own_platform import Place, edge, job, the_id, trigger, workflow


@pytest.fixture
def rules(platform: Place) -> Iterator[PlatformRules]:
    made = PlatformRules()
    yield made
    made.close()


def run_end(project: Project, job_id: Id, *, succeeded: bool = True, cancelled: bool = False) -> RunEnd:
    return RunEnd(project.id, new_id(), job_id, succeeded, cancelled)


@pytest.mark.parametrize(
    ("kind", "on_cancelled", "fires_on"),
    [
        ("success", None, {"success"}),
        ("failure", False, {"failure"}),
        ("failure", True, {"failure", "cancelled"}),
        ("always", False, {"success", "failure"}),
        ("always", True, {"success", "failure", "cancelled"}),
    ],
)
def test_a_chain_fires_on_the_ends_of_its_kind(
    platform: Place, rules: PlatformRules, kind: str, on_cancelled: bool | None, fires_on: set[str]
) -> None:
    project, source, target = platform.project(), job("Source"), job("Target")
    platform.save(project, workflow("First", jobs=[source]))
    options = {} if on_cancelled is None else {"on_cancelled": on_cancelled}
    start = trigger(kind, source_job_id=source["id"], **options)
    saved = platform.save(project, workflow("Second", triggers=[start], jobs=[target], edges=[edge(start, target)]))
    ends = {
        "success": run_end(project, the_id(source)),
        "failure": run_end(project, the_id(source), succeeded=False),
        "cancelled": run_end(project, the_id(source), succeeded=False, cancelled=True),
    }
    found = {name: rules.followers(end) for name, end in ends.items()}
    assert {name for name, starts in found.items() if starts} == fires_on
    for name in fires_on:
        (begun,) = found[name]
        assert begun.cause is (Cause.SUCCESS if name == "success" else Cause.FAILURE)
        assert (begun.snapshot_id, begun.trigger_id, begun.start_node) == (saved.snapshot_id, the_id(start), the_id(start))
        assert [job_id for _, job_id in begun.runs] == [the_id(target)]


def test_the_end_of_a_workflow_is_followed_too(platform: Place, rules: PlatformRules) -> None:
    project, first, target = platform.project(), workflow("First"), job()
    platform.save(project, first)
    start = trigger("success", source_workflow_id=first["id"])
    platform.save(project, workflow("Second", triggers=[start], jobs=[target], edges=[edge(start, target)]))
    assert len(rules.followers(WorkflowEnd(project.id, the_id(first), succeeded=True, cancelled=False))) == 1
    assert rules.followers(WorkflowEnd(project.id, the_id(first), succeeded=False, cancelled=False)) == ()
    assert rules.followers(WorkflowEnd(project.id, new_id(), succeeded=True, cancelled=False)) == ()


def test_each_answer_has_fresh_ids(platform: Place, rules: PlatformRules) -> None:
    project, source, target = platform.project(), job("Source"), job("Target")
    start = trigger("success", source_job_id=source["id"])
    platform.save(project, workflow(triggers=[start], jobs=[source, target], edges=[edge(start, target)]))
    first, second = (rules.followers(run_end(project, the_id(source)))[0] for _ in range(2))
    assert {first.work_order_id, first.attempt_id}.isdisjoint({second.work_order_id, second.attempt_id})


def test_another_project_follows_nothing(platform: Place, rules: PlatformRules) -> None:
    project, source, target = platform.project(), job("Source"), job("Target")
    start = trigger("success", source_job_id=source["id"])
    platform.save(project, workflow(triggers=[start], jobs=[source, target], edges=[edge(start, target)]))
    assert rules.followers(RunEnd(new_id(), new_id(), the_id(source), True, False)) == ()


@pytest.mark.parametrize("off", ["workflow", "trigger", "job", "deleted", "project"])
def test_what_is_off_or_gone_follows_nothing(platform: Place, rules: PlatformRules, off: str) -> None:
    project, source = platform.project(), job("Source")
    platform.save(project, workflow("First", jobs=[source]))
    start, target = trigger("success", source_job_id=source["id"], enabled=off != "trigger"), job("Target", enabled=off != "job")
    second = workflow("Second", triggers=[start], jobs=[target], edges=[edge(start, target)], enabled=off != "workflow")
    platform.save(project, second)
    if off == "deleted":
        delete_workflow(the_id(second), author=platform.admin)
    if off == "project":
        delete_project(project.id, actor=platform.admin)
    assert rules.followers(run_end(project, the_id(source))) == ()


def test_a_trigger_that_is_taken_out_follows_no_more(platform: Place, rules: PlatformRules) -> None:
    project, source, target = platform.project(), job("Source"), job("Target")
    start = trigger("always", source_job_id=source["id"])
    written = workflow(triggers=[start], jobs=[source, target], edges=[edge(start, target)])
    platform.save(project, written)
    assert len(rules.followers(run_end(project, the_id(source)))) == 1
    platform.save(project, {**written, "triggers": [], "edges": []})
    assert rules.followers(run_end(project, the_id(source))) == ()


def test_failure_jobs_are_those_behind_failure_and_always_edges_of_that_snapshot(platform: Place, rules: PlatformRules) -> None:
    project, source = platform.project(), job("Source")
    caught, always, succeeded, off = job("Caught"), job("Always"), job("Succeeded"), job("Off", enabled=False)
    edges = [
        edge(source, always),
        edge(source, succeeded, condition_type="on_job_success"),
        edge(source, caught, condition_type="on_job_failure"),
        edge(source, off, condition_type="on_job_failure"),
    ]
    written = workflow(jobs=[source, caught, always, succeeded, off], edges=edges)
    old = platform.save(project, written)
    new = platform.save(project, {**written, "edges": edges[:1]})
    assert rules.failure_jobs(old.snapshot_id, the_id(source)) == (the_id(always), the_id(caught))
    assert rules.failure_jobs(new.snapshot_id, the_id(source)) == (the_id(always),)
    assert rules.failure_jobs(new_id(), the_id(source)) == ()


def test_failure_jobs_of_a_planned_attempt_need_no_database(sqlite_platform: Place) -> None:
    project, source, caught = sqlite_platform.project(), job("Source"), job("Caught")
    written = workflow(jobs=[source, caught], edges=[edge(source, caught, condition_type="on_job_failure")])
    saved = sqlite_platform.save(project, written)
    rules = PlatformRules()
    with connection.execute_wrapper(_no_query):
        assert rules.failure_jobs(saved.snapshot_id, the_id(source)) == (the_id(caught),)
        assert rules.followers(run_end(project, the_id(source))) == ()
        assert rules.erases(project.id) is False
        assert rules.lost_retries(the_id(written)) == 2
    rules.close()


def test_a_workflow_that_holds_gets_no_retry(platform: Place, rules: PlatformRules) -> None:
    project, written = platform.project(), workflow(when_lost="hold")
    platform.save(project, written)
    assert (rules.lost_retries(the_id(written)), rules.lost_retries(new_id())) == (0, 2)
    platform.save(project, {**written, "when_lost": "retry"})
    assert rules.lost_retries(the_id(written)) == 2


def test_zero_persistence_is_known_as_soon_as_it_is_switched_on(platform: Place, rules: PlatformRules) -> None:
    project = platform.project()
    assert not rules.erases(project.id)
    update_project(project.id, {"retention_policy": "erase_all"}, actor=platform.admin)
    assert rules.erases(project.id)


def test_rules_that_were_closed_hear_no_more(platform: Place, rules: PlatformRules) -> None:
    project = platform.project()
    rules.close()
    update_project(project.id, {"retention_policy": "erase_all"}, actor=platform.admin)
    assert not rules.erases(project.id)


def _no_query(*_: object) -> None:
    raise AssertionError("a query was made")
