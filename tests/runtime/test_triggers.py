"""Triggers hand their input on."""

from __future__ import annotations

import json

import pytest

from kivuko.errors import HostFailed
from kivuko.runtime import execute, prepare
from kivuko.workflow import Edge, ExecutionOptions, ExecutionPlan, Job, Trigger, Workflow

from .conftest import Desk, job


def test_a_trigger_hands_its_input_on_untouched_and_starts_no_run(desk: Desk) -> None:
    trigger = {"id": "t", "state": {"ignored": 1}, "configuration": {"k": 1}, "next": {"a": True, "b": True}}
    result = desk.execute([trigger, job("a"), job("b")], {"configuration": {"i": 1}})
    assert desk.order == ["a", "b"]
    assert [request.state for request in desk.engine.requests] == [b'{"configuration": {"i": 1}}'] * 2
    assert [run.job_id for run in result.runs] == ["a", "b"]
    assert {event.job_id for event in desk.events} == {"a", "b"}


def test_a_workflow_of_a_trigger_alone_gives_its_input_back_without_credentials(desk: Desk) -> None:
    result = desk.execute([{"id": "t"}], {"configuration": {"i": 1}, "x": 1})
    assert (result.state, dict(result.leaves)) == (b'{"x": 1}', {"t": b'{"x": 1}'})
    assert desk.order == []


def test_an_empty_job_at_the_end_hands_on_no_credentials(desk: Desk) -> None:
    plan = ExecutionPlan(Workflow((Trigger("t", edges=(Edge("a"), Edge("b"))), Job("a", ""), Job("b", ""))))
    result = execute(prepare(plan, desk.resolve), b'{"configuration":{"password":"x"},"data":{}}', desk.engine)
    assert json.loads(result.state or b"") == {"a": {"data": {}}, "b": {"data": {}}}


def test_a_step_that_runs_nothing_and_is_the_chosen_end_hands_on_no_credentials(desk: Desk) -> None:
    plan = ExecutionPlan(Workflow((Job("a", "", edges=(Edge("b"),)), Job("b", "fn(s => s)"))), ExecutionOptions(end="a"))
    assert execute(prepare(plan, desk.resolve), b'{"configuration":1,"x":2}', desk.engine).state == b'{"x":2}'


def test_a_job_whose_file_turned_out_to_be_empty_is_like_a_trigger(desk: Desk) -> None:
    plan = ExecutionPlan(Workflow((Job("a", "", edges=(Edge("b"),)), Job("b", "fn(s => s)"))))
    result = execute(prepare(plan, desk.resolve), b'{"x":1}', desk.engine)
    assert desk.order == ["b"]
    assert json.loads(result.state or b"") == {"x": 1, "data": {}}


def test_a_host_that_fails_on_the_conditions_of_a_trigger_ends_the_attempt(desk: Desk) -> None:
    def fail(state: dict[str, object]) -> object:
        raise HostFailed("no host")

    desk.engine.conditions["x"] = fail
    result = desk.execute([{"id": "t", "next": {"a": "x", "b": "on_job_failure"}}, job("a"), job("b")])
    assert (result.reason, result.error_message, result.has_output, desk.order) == ("exception", "no host", False, ["t"])
    assert "[R/T] ✘ no host" in desk.log


@pytest.mark.parametrize(("word", "order"), [("on_job_success", ["a"]), ("on_job_failure", []), ("always", ["a"]), ("never", [])])
def test_words_need_no_host(desk: Desk, word: str, order: list[str]) -> None:
    desk.execute([{"id": "t", "next": {"a": word}}, job("a")], {"x": 1})
    assert desk.order == order


def test_other_conditions_are_decided_by_a_host_on_the_untouched_input(desk: Desk) -> None:
    desk.engine.conditions = {"old": lambda state: state["age"] == 28, "young": lambda state: state["age"] != 28}
    desk.execute([{"id": "t", "next": {"a": "old", "b": "young"}}, job("a"), job("b")], {"age": 28, "configuration": {"k": 1}})
    assert desk.order == ["t", "a"]
    asked = desk.engine.requests[0]
    assert (asked.script, asked.remove_keys, asked.edges) == ("", (), (("a", "old"), ("b", "young")))
    assert json.loads(desk.engine.requests[1].state) == {"age": 28, "configuration": {"k": 1}}


def test_a_condition_may_change_what_goes_on_but_not_what_ends_there(desk: Desk) -> None:
    def mark(state: dict[str, object]) -> object:
        state["marked"] = True
        return state["go"]

    desk.engine.conditions = {"mark": mark}
    plan = [{"id": "t", "next": {"a": "mark"}}, job("a")]
    assert json.loads(desk.execute(plan, {"go": 1}).state or b"") == {"go": 1, "marked": True, "data": {}}
    assert json.loads(desk.execute(plan, {"go": 0}).state or b"") == {"go": 0}


def test_whether_a_trigger_failed_is_asked_when_the_input_has_errors(desk: Desk) -> None:
    plan = [{"id": "t", "next": {"a": "on_job_failure"}}, job("a")]
    desk.execute(plan, {"errors": {"t": {"message": "from before"}}})
    assert desk.order == ["t", "a"]


def test_a_condition_of_a_trigger_that_throws_ends_the_attempt(desk: Desk) -> None:
    result = desk.execute([{"id": "t", "next": {"a": "boom"}}, job("a")])
    assert (result.reason, result.error_type) == ("crash", "EdgeConditionError")
    assert any("t->a" in line for line in desk.log)
