"""What the lanes are told about inboxes and webhooks, on both databases."""

from __future__ import annotations

from hashlib import sha256

import pytest

from kivuko.platform.entrances import InboxEntrance, inbox_by_secret, webhook_by_address
from kivuko.platform.inbox.authentication import create_auth_method, delete_auth_method
from kivuko.platform.inbox.changing import create_inbox, inbox_url, inboxes_of, rotate_inbox, update_inbox
from kivuko.platform.inbox.models import InboxSecret
from kivuko.platform.projects.changing import delete_project
from kivuko.platform.projects.models import Project
from kivuko.platform.workflows.saving import delete_workflow
from kivuko.records import Cause, Needs, new_id
from own_platform import Place, edge, job, the_id, trigger, workflow


def inbox_of(platform: Place, project: Project) -> InboxEntrance:
    found = inbox_by_secret(secret_of(project))
    assert found is not None
    return found


def secret_of(project: Project) -> str:
    return inbox_url(inboxes_of(project.id)[0].id).rpartition("/")[2]


def on_message(project: Project, **values: object) -> dict[str, object]:
    return trigger("message", inbox_id=str(inboxes_of(project.id)[0].id), **values)


def test_an_inbox_is_found_by_its_secret_only(platform: Place) -> None:
    project = platform.project()
    inbox = inboxes_of(project.id)[0]
    found = inbox_by_secret(secret_of(project))
    assert found is not None
    assert (found.inbox_id, found.project_id, found.auth_methods, found.targets) == (inbox.id, project.id, (), ())
    assert [inbox_by_secret(text) for text in (str(inbox.id), str(new_id()), "", "x")] == [None] * 4


def test_a_match_starts_the_jobs_behind_its_trigger(platform: Place) -> None:
    project, one, two, three = platform.project(), job("One"), job("Two"), job("Three")
    start = on_message(project, inclusion={"a": 1}, exclusion='{"b": 2}')
    edges = [edge(start, two, condition_type="js_expression", condition_expression="state.data.x"), edge(start, one), edge(one, three)]
    saved = platform.save(project, workflow(triggers=[start], jobs=[one, two, three], edges=edges))
    (target,) = inbox_of(platform, project).targets
    assert (target.trigger_id, target.snapshot_id) == (the_id(start), saved.snapshot_id)
    assert target.jobs == (the_id(one),)
    assert target.job_names == ("One", "Two")
    assert (target.cause, target.queue, target.needs) == (Cause.MESSAGE, "default", Needs.JAVASCRIPT)
    assert [target.filter.matches(body) for body in ({"a": 1}, {"a": 1, "b": 2}, {})] == [True, False, False]


def test_only_what_is_on_is_started(platform: Place) -> None:
    project = platform.project()
    for name, parts in {
        "on": {},
        "workflow off": {"enabled": False},
        "trigger off": {"trigger": False},
        "job off": {"job": False},
    }.items():
        start, one = on_message(project, enabled=parts.get("trigger", True)), job(enabled=parts.get("job", True))
        found = workflow(name, triggers=[start], jobs=[one], edges=[edge(start, one)], enabled=parts.get("enabled", True))
        platform.save(project, found)
    gone = workflow("gone", triggers=[start := on_message(project)], jobs=[one := job()], edges=[edge(start, one)])
    platform.save(project, gone)
    delete_workflow(the_id(gone), author=platform.admin)
    assert len(inbox_of(platform, project).targets) == 1


def test_targets_come_by_workflow_then_in_document_order(platform: Place) -> None:
    project = platform.project()
    expected = []
    for name in ("b", "a"):
        first, second, one = on_message(project), on_message(project), job()
        platform.save(project, workflow(name, triggers=[first, second], jobs=[one], edges=[edge(first, one), edge(second, one)]))
        expected += [the_id(first), the_id(second)]
    assert [target.trigger_id for target in inbox_of(platform, project).targets] == expected


def test_a_saved_change_is_in_the_next_answer(platform: Place) -> None:
    project, one = platform.project(), job("Before")
    start = on_message(project)
    written = workflow(triggers=[start], jobs=[one], edges=[edge(start, one)])
    platform.save(project, written)
    platform.save(project, {**written, "jobs": [{**one, "name": "After"}]})
    (target,) = inbox_of(platform, project).targets
    assert target.job_names == ("After",)


def test_the_old_secret_works_for_the_overlap(platform: Place) -> None:
    project = platform.project()
    inbox, old = inboxes_of(project.id)[0], secret_of(project)
    rotate_inbox(inbox.id, 60, actor=platform.admin)
    new = secret_of(project)
    assert new != old
    assert [inbox_by_secret(secret) is not None for secret in (old, new)] == [True, True]
    rotate_inbox(inbox.id, 0, actor=platform.admin)
    assert [inbox_by_secret(secret) is not None for secret in (old, new, secret_of(project))] == [True, False, True]
    InboxSecret.objects.filter(ends_at__isnull=False).update(ends_at="2020-01-01T00:00Z")
    assert inbox_by_secret(old) is None


def test_any_of_several_methods_lets_in_and_a_revoked_one_does_not(platform: Place) -> None:
    project = platform.project()
    inbox = inboxes_of(project.id)[0]
    key = create_auth_method(project.id, {"name": "key", "kind": "api_key"}, actor=platform.admin)
    person = create_auth_method(
        project.id, {"name": "person", "kind": "basic", "username": "odk", "secret": "a password"}, actor=platform.admin
    )
    update_inbox(inbox.id, {"auth_method_ids": [str(key.id), str(person.id)]}, actor=platform.admin)
    methods = {method.name: (method.kind, method.digest) for method in inbox_of(platform, project).auth_methods}
    assert key.secret is not None
    assert methods == {
        "key": ("api_key", sha256(key.secret.encode()).digest()),
        "person": ("basic", sha256(b"odk:a password").digest()),
    }
    delete_auth_method(key.id, actor=platform.admin)
    assert [method.name for method in inbox_of(platform, project).auth_methods] == ["person"]


def test_an_inbox_whose_only_method_was_revoked_lets_nobody_in(platform: Place) -> None:
    project = platform.project()
    key = create_auth_method(project.id, {"name": "key"}, actor=platform.admin)
    update_inbox(inboxes_of(project.id)[0].id, {"auth_method_ids": [str(key.id)]}, actor=platform.admin)
    delete_auth_method(key.id, actor=platform.admin)
    (closed,) = inbox_of(platform, project).auth_methods
    assert key.secret is not None
    assert closed.digest != sha256(key.secret.encode()).digest()
    assert inbox_of(platform, project).auth_methods[0].digest != closed.digest


def test_settings_of_an_inbox_reach_the_lane(platform: Place) -> None:
    project = platform.project()
    settings = {
        "idempotency": {"header": "Idempotency-Key", "path": "form.id", "window_s": 60},
        "body_limit_bytes": 1000,
        "reply": "after_completion",
    }
    update_inbox(inboxes_of(project.id)[0].id, settings, actor=platform.admin)
    found = inbox_of(platform, project)
    assert found.idempotency is not None
    assert (found.idempotency.header, found.idempotency.path, found.idempotency.window_s) == ("Idempotency-Key", ("form", "id"), 60)
    assert (found.body_limit_bytes, found.reply) == (1000, "after_completion")


def test_a_second_inbox_has_its_own_triggers(platform: Place) -> None:
    project, one = platform.project(), job()
    second = create_inbox(project.id, {"name": "second"}, actor=platform.admin)
    start = trigger("message", inbox_id=str(second.id))
    platform.save(project, workflow(triggers=[start], jobs=[one], edges=[edge(start, one)]))
    found = inbox_by_secret(inbox_url(second.id).rpartition("/")[2])
    assert found is not None
    assert len(found.targets) == 1
    assert inbox_of(platform, project).targets == ()


def test_a_webhook_is_found_by_trigger_and_by_custom_path(platform: Place) -> None:
    project, one, start = platform.project(), job(), trigger("webhook", custom_path="forms")
    saved = platform.save(project, workflow(triggers=[start], jobs=[one], edges=[edge(start, one)]))
    by_id, by_path = webhook_by_address(str(start["id"])), webhook_by_address(f"{project.id}/forms")
    assert by_id is not None
    assert by_id == by_path
    assert (by_id.enabled, by_id.methods, by_id.reply, by_id.success_code) == (True, ("POST",), "before_start", None)
    assert (by_id.target.snapshot_id, by_id.target.jobs, by_id.target.cause) == (saved.snapshot_id, (the_id(one),), Cause.WEBHOOK)
    for address in (f"{project.id}/other", str(project.id), str(new_id()), "forms", "", f"{new_id()}/forms"):
        assert webhook_by_address(address) is None


def test_a_trigger_of_another_kind_is_no_webhook(platform: Place) -> None:
    project, start = platform.project(), trigger("cron", cron_expression="@daily")
    platform.save(project, workflow(triggers=[start]))
    assert webhook_by_address(str(start["id"])) is None


@pytest.mark.parametrize("off", ["workflow", "trigger", "job"])
def test_a_webhook_that_is_off_says_so(sqlite_platform: Place, off: str) -> None:
    start, one = trigger("webhook", enabled=off != "trigger"), job(enabled=off != "job")
    written = workflow(triggers=[start], jobs=[one], edges=[edge(start, one)], enabled=off != "workflow")
    sqlite_platform.save(sqlite_platform.project(), written)
    found = webhook_by_address(str(start["id"]))
    assert found is not None
    assert not found.enabled


@pytest.mark.parametrize(("reply", "waits"), [("before_start", False), ("after_completion", True), ("custom", True)])
def test_who_waits_for_the_end_goes_into_the_fast_lane(sqlite_platform: Place, reply: str, waits: bool) -> None:
    start, one = trigger("webhook", reply=reply, error_code=500), job()
    sqlite_platform.save(sqlite_platform.project(), workflow(triggers=[start], jobs=[one], edges=[edge(start, one)]))
    found = webhook_by_address(str(start["id"]))
    assert found is not None
    assert (found.reply, found.target.queue) == (("after_completion", "fast_lane") if waits else ("before_start", "default"))
    assert found.error_code == 500


def test_the_addresses_of_a_deleted_project_are_dead(platform: Place) -> None:
    project, one = platform.project(), job()
    start, secret = trigger("webhook"), secret_of(project)
    platform.save(project, workflow(triggers=[start], jobs=[one], edges=[edge(start, one)]))
    delete_project(project.id, actor=platform.admin)
    assert inbox_by_secret(secret) is None
    assert webhook_by_address(str(start["id"])) is None


def test_a_secret_is_not_shown_when_an_entrance_is_printed(sqlite_platform: Place) -> None:
    project = sqlite_platform.project()
    key = create_auth_method(project.id, {"name": "key"}, actor=sqlite_platform.admin)
    update_inbox(inboxes_of(project.id)[0].id, {"auth_method_ids": [str(key.id)]}, actor=sqlite_platform.admin)
    found = inbox_of(sqlite_platform, project)
    assert repr(found.auth_methods[0].digest) not in repr(found)
    assert key.secret is not None
    assert key.secret not in repr(key)
