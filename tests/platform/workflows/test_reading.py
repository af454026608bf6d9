"""JSON values become a document, or every mistake is named with its path."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.errors import ValidationFailed
from kivuko.platform.workflows.document import TRIGGER_FIELDS, WorkflowDocument
from kivuko.platform.workflows.reading import read_document
from kivuko.records import new_id
from own_platform import edge, job, the_id, trigger, workflow

PROJECT = new_id()


def read(written: Any) -> WorkflowDocument:
    return read_document(written, project_id=PROJECT)


def mistakes(written: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationFailed) as refused:
        read(written)
    return refused.value.errors


def test_a_document_is_read_as_it_was_written() -> None:
    one, two, start = job("One"), job("Two", credential_id=str(new_id()), timeout_ms=5000, memory_mb=512), trigger()
    written = workflow(triggers=[start], jobs=[one, two], edges=[edge(start, one), edge(one, two, condition_type="on_job_success")])
    document = read(written)
    assert [each.name for each in document.jobs] == ["One", "Two"]
    assert document.edges_from(the_id(one))[0].target_job_id == the_id(two)
    assert document.job(the_id(two)) == document.jobs[1]
    assert document.trigger(the_id(start)) == document.triggers[0]


def test_what_comes_out_reads_as_the_same_document() -> None:
    written = workflow(
        triggers=[
            trigger("message", inbox_id=str(new_id()), inclusion={"a": [1, 2.5, None]}, exclusion='{"b": 1}'),
            trigger("webhook", custom_path="in", methods=["POST", "PUT"], reply="after_completion", success_code=200),
            trigger("cron", cron_expression="0 23 * * FRI", timezone="Africa/Freetown", overlap="skip", catch_up="all"),
            trigger("interval", every="2 weeks", anchor="2026-01-02T23:00"),
            trigger("failure", source_job_id=str(new_id()), failure_input="at_error", on_cancelled=True),
        ],
        jobs=[job(retry={"max_tries": 5, "factor": 1.5}, notify="unhandled")],
        positions={"x": {"x": 1, "y": 2.5}},
        concurrency=3,
        job_logs=False,
        when_lost="hold",
    )
    document = read(written)
    again = read_document(json.loads(json.dumps(document.as_json())))
    assert again == document
    assert again.as_json() == document.as_json()


def test_a_document_that_was_given_out_can_be_sent_back() -> None:
    document = read(workflow(triggers=[trigger("webhook"), trigger("cron", cron_expression="@daily")]))
    answer: dict[str, Any] = {**document.as_json(), "lock_version": 3, "snapshot_id": str(new_id())}
    answer["triggers"][0]["url"] = "https://x/i/y"
    answer["triggers"][1]["next_at"] = None
    assert read(answer) == document


def test_parts_without_an_id_get_one_and_defaults_are_filled_in() -> None:
    document = read({"name": "w", "jobs": [{"name": "j", "adaptor": "common", "expression": "fn()"}], "triggers": [{"kind": "manual"}]})
    (found,) = document.jobs
    assert (found.language, found.enabled, found.notify, found.retry) == ("javascript", True, "each", None)
    assert document.triggers[0].enabled is False
    assert (document.enabled, document.concurrency, document.job_logs, document.when_lost) == (False, None, True, "retry")
    assert found.id != document.triggers[0].id


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("common", "@openfn/language-common"),
        ("http@7.2.10", "@openfn/language-http@7.2.10"),
        ("@openfn/language-http@latest", "@openfn/language-http@latest"),
        ("@ministry/adaptor@^1.0", "@ministry/adaptor@^1.0"),
        ("no such name", "no such name"),
    ],
    ids=["short", "short with version", "whole", "of somebody else", "wrong"],
)
def test_an_adaptor_is_kept_by_its_whole_name(written: str, kept: str) -> None:
    (found,) = read(workflow(jobs=[job(adaptor=written)])).jobs
    assert found.adaptor == kept


def test_a_retry_policy_is_filled_up() -> None:
    (found,) = read(workflow(jobs=[job(retry={})])).jobs
    assert found.retry == {"max_tries": 3, "backoff_ms": 1000, "factor": 2, "jitter": True, "max_backoff_ms": 3_600_000}


@pytest.mark.parametrize("kind", sorted(TRIGGER_FIELDS))
def test_a_trigger_answers_with_the_fields_of_its_kind_only(kind: str) -> None:
    usual = {"inbox_id": str(new_id()), "cron_expression": "@daily", "every": "1 day", "anchor": "2026-01-01T00:00"}
    given_fields = {name: usual[name] for name in TRIGGER_FIELDS[kind] if name in usual}
    (found,) = read(workflow(triggers=[trigger(kind, **given_fields)])).triggers
    assert set(found.as_json()) == {"id", "kind", "name", "enabled", *TRIGGER_FIELDS[kind]}


def test_an_interval_in_seconds_is_understood() -> None:
    (found,) = read(workflow(triggers=[trigger("interval", every=300, anchor="2026-01-01T00:00")])).triggers
    assert found.every == "300 seconds"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "x" * 300}, "name"),
        ({"enabled": "yes"}, "enabled"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": True}, "concurrency"),
        ({"when_lost": "panic"}, "when_lost"),
        ({"color": "red"}, "color"),
        ({"id": "not-an-id"}, "id"),
        ({"project_id": str(new_id())}, "project_id"),
        ({"jobs": {}}, "jobs"),
        ({"jobs": [7]}, "jobs.0"),
        ({"jobs": [job(adaptor=None)]}, "jobs.0.adaptor"),
        ({"jobs": [job(adaptor=["http", "common"])]}, "jobs.0.adaptor"),
        ({"jobs": [job(expression="")]}, "jobs.0.expression"),
        ({"jobs": [job(language="cobol")]}, "jobs.0.language"),
        ({"jobs": [job(), job(colour="red")]}, "jobs.1.colour"),
        ({"jobs": [job(retry={"max_tries": 0})]}, "jobs.0.retry.max_tries"),
        ({"jobs": [job(retry={"factor": "2"})]}, "jobs.0.retry.factor"),
        ({"jobs": [job(retry={"tries": 3})]}, "jobs.0.retry.tries"),
        ({"jobs": [job(retry=3)]}, "jobs.0.retry"),
        ({"jobs": [job(notify="shout")]}, "jobs.0.notify"),
        ({"jobs": [job(timeout_ms=-1)]}, "jobs.0.timeout_ms"),
        ({"triggers": [trigger("kafka")]}, "triggers.0.kind"),
        ({"triggers": [{"enabled": True}]}, "triggers.0.kind"),
        ({"triggers": [trigger("manual", cron_expression="@daily")]}, "triggers.0.cron_expression"),
        ({"triggers": [trigger("cron")]}, "triggers.0.cron_expression"),
        ({"triggers": [trigger("message")]}, "triggers.0.inbox_id"),
        ({"triggers": [trigger("webhook", methods=["BREW"])]}, "triggers.0.methods"),
        ({"triggers": [trigger("webhook", success_code=99)]}, "triggers.0.success_code"),
        ({"triggers": [trigger("webhook", auth_method_ids=["x"])]}, "triggers.0.auth_method_ids"),
        ({"triggers": [trigger("cron", cron_expression="@daily", overlap="pile up")]}, "triggers.0.overlap"),
        ({"edges": [{"source_job_id": str(new_id())}]}, "edges.0.target_job_id"),
        ({"edges": [{"target_job_id": str(new_id()), "condition_type": "maybe"}]}, "edges.0.condition_type"),
        ({"edges": [{"target_job_id": str(new_id()), "failure_input": "last"}]}, "edges.0.failure_input"),
        ({"positions": []}, "positions"),
        ({"positions": {"a": {"x": 1}}}, "positions.a"),
        ({"positions": {"a": {"x": 1, "y": "2"}}}, "positions.a"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_named_by_its_path(change: dict[str, object], path: str) -> None:
    assert list(mistakes({**workflow(), **change})) == [path]


def test_all_mistakes_are_told_at_once() -> None:
    found = mistakes({"name": "", "enabled": 1, "jobs": [{"name": "j"}], "x": 1})
    assert set(found) == {"name", "enabled", "jobs.0.adaptor", "jobs.0.expression", "x"}


@pytest.mark.parametrize("written", [None, [], "workflow", 7], ids=repr)
def test_what_is_no_object_is_refused(written: object) -> None:
    assert mistakes(written) == {"": ["must be an object"]}


def test_without_an_address_the_project_must_be_named() -> None:
    with pytest.raises(ValidationFailed) as refused:
        read_document(workflow())
    assert list(refused.value.errors) == ["project_id"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "kind", "name", "enabled", "x", "retry"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["name", "jobs", "triggers", "edges", "positions", "enabled", "concurrency"]), JSON))
def test_anything_is_read_or_refused_but_never_fails(written: dict[str, object]) -> None:
    with contextlib.suppress(ValidationFailed):
        document = read(written)
        assert read_document(document.as_json()) == document
