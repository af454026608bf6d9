"""Whether a workflow makes sense by itself."""

from __future__ import annotations

from typing import Any

import pytest

from kivuko.platform.workflows.fields import Mistakes
from kivuko.platform.workflows.reading import read_document
from kivuko.platform.workflows.validation import check_document, condition_mistake, expression_mistake
from kivuko.records import new_id
from own_platform import edge, job, trigger, workflow

PROJECT = new_id()
ONE, TWO, THREE = job("One"), job("Two"), job("Three")
START = trigger("manual")


def mistakes(**parts: Any) -> dict[str, list[str]]:
    found = Mistakes()
    check_document(read_document(workflow(**parts), project_id=PROJECT), found)
    return found.found


def test_a_sound_workflow_has_no_mistakes() -> None:
    edges = [edge(START, ONE), edge(ONE, TWO, condition_type="on_job_success"), edge(ONE, THREE, condition_type="on_job_failure")]
    assert mistakes(triggers=[START], jobs=[ONE, TWO, THREE], edges=edges) == {}


def test_an_empty_workflow_may_be_saved() -> None:
    assert mistakes() == {}


def test_two_ways_to_one_job_are_no_circle() -> None:
    edges = [edge(START, ONE), edge(ONE, TWO), edge(ONE, THREE), edge(TWO, THREE)]
    assert mistakes(triggers=[START], jobs=[ONE, TWO, THREE], edges=edges) == {}


@pytest.mark.parametrize("ways", [[(ONE, TWO), (TWO, ONE)], [(ONE, TWO), (TWO, THREE), (THREE, ONE)]], ids=["of two", "of three"])
def test_a_circle_is_refused_with_the_jobs_names(ways: list[tuple[dict[str, object], dict[str, object]]]) -> None:
    found = mistakes(jobs=[ONE, TWO, THREE], edges=[edge(*way) for way in ways])
    assert list(found) == ["edges"]
    assert "Circular dependency" in found["edges"][0]
    assert "One" in found["edges"][0]


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        ({"name": "Old_del0001"}, "name"),
        ({"jobs": [job("Same"), job("Same")]}, "jobs.0.name"),
        ({"jobs": [job("x" * 101)]}, "jobs.0.name"),
        ({"jobs": [job("What?")]}, "jobs.0.name"),
        ({"jobs": [job(adaptor="http=/srv/secrets")]}, "jobs.0.adaptor"),
        ({"jobs": [job(adaptor="./adaptor")]}, "jobs.0.adaptor"),
        ({"jobs": [job(adaptor="@openfn/what is this")]}, "jobs.0.adaptor"),
        ({"jobs": [job(expression=" \n")]}, "jobs.0.expression"),
        ({"jobs": [job(expression="fn(state =>")]}, "jobs.0.expression"),
        ({"jobs": [ONE], "edges": [edge(ONE, ONE)]}, "edges.0.target_job_id"),
        ({"jobs": [ONE], "edges": [{"target_job_id": ONE["id"]}]}, "edges.0"),
        ({"jobs": [ONE], "edges": [edge(TWO, ONE)]}, "edges.0.source_job_id"),
        ({"jobs": [ONE], "edges": [edge(START, ONE)]}, "edges.0.source_trigger_id"),
        ({"jobs": [ONE], "edges": [edge(ONE, TWO)]}, "edges.0.target_job_id"),
        ({"triggers": [START], "jobs": [ONE], "edges": [edge(START, ONE, condition_type="on_job_failure")]}, "edges.0.condition_type"),
        ({"triggers": [START], "jobs": [ONE], "edges": [edge(START, ONE, enabled=False)]}, "edges.0.enabled"),
        ({"jobs": [ONE, TWO], "edges": [edge(ONE, TWO, condition_type="js_expression")]}, "edges.0.condition_expression"),
        ({"triggers": [trigger("webhook", custom_path="Upper/Case")]}, "triggers.0.custom_path"),
        ({"triggers": [trigger("webhook", custom_path=str(new_id()))]}, "triggers.0.custom_path"),
        ({"triggers": [trigger("cron", cron_expression="0 25 * * FRI")]}, "triggers.0.cron_expression"),
        ({"triggers": [trigger("cron", cron_expression="@daily", timezone="Mars/Base")]}, "triggers.0.timezone"),
        ({"triggers": [trigger("cron", cron_expression="@daily", cursor_job_id=str(new_id()))]}, "triggers.0.cursor_job_id"),
        ({"triggers": [trigger("interval", every="2 fortnights", anchor="2026-01-01T00:00")]}, "triggers.0.every"),
        ({"triggers": [trigger("interval", every="2 weeks", anchor="tomorrow")]}, "triggers.0.anchor"),
        ({"triggers": [trigger("message", inbox_id=str(new_id()), inclusion="{not json")]}, "triggers.0.inclusion"),
        ({"triggers": [trigger("message", inbox_id=str(new_id()), exclusion="{")]}, "triggers.0.exclusion"),
        ({"triggers": [trigger("success")]}, "triggers.0"),
        ({"triggers": [trigger("failure", source_job_id=str(new_id()), source_workflow_id=str(new_id()))]}, "triggers.0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_named_by_its_path(parts: dict[str, Any], path: str) -> None:
    assert path in mistakes(**parts)


def test_an_id_may_be_used_once() -> None:
    assert mistakes(triggers=[{**START, "id": ONE["id"]}], jobs=[ONE]) == {"jobs.0.id": ["is the id of another part of this workflow too"]}


def test_the_sentence_about_a_schedule_says_what_is_wrong() -> None:
    (sentence,) = mistakes(triggers=[trigger("cron", cron_expression="0 25 * * FRI")])["triggers.0.cron_expression"]
    assert "25 is not between 0 and 23" in sentence


@pytest.mark.parametrize("text", ["fn(s => s)", "each($.data, post('x'))", "const { a } = require('x'); fn()", "get('x').then(s => s)"])
def test_an_expression_that_can_be_read_is_accepted(text: str) -> None:
    assert expression_mistake(text) is None


def test_an_expression_that_only_fails_to_compile_is_accepted_and_crashes_where_it_is_reached() -> None:
    assert expression_mistake("const x = $.data;") is None


@pytest.mark.parametrize(("text", "place"), [("fn(", "1"), ("fn(s => s)\nfn(s => {", "2")], ids=["first line", "second line"])
def test_an_expression_that_cannot_be_read_is_refused_with_its_line(text: str, place: str) -> None:
    assert place in (expression_mistake(text) or "")


@pytest.mark.parametrize("text", ["state.data.ok", "!state.errors && state.data.length > 0", "state.x === '{'", "state => 1", "({}).a"])
def test_a_condition_that_is_an_expression_is_accepted(text: str) -> None:
    assert condition_mistake(text) is None


@pytest.mark.parametrize(
    "text", ["state.data ==", "if (x) y", "return 1", "a; b", "state.x)", "import('fs')", "process.exit()", "eval('1')"]
)
def test_a_condition_that_is_none_or_reaches_out_is_refused(text: str) -> None:
    assert condition_mistake(text) is not None


def test_words_that_contain_an_unacceptable_one_are_acceptable() -> None:
    assert condition_mistake("state.data.processed && state.required && state.evaluation") is None
