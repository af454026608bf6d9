"""How an Attempt walks from step to step (jobs-and-runtime §2.4)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.engines.run import RunResult
from kivuko.value import replace

from .conftest import Desk, failure, job


def final(result_state: bytes | None) -> object:
    return None if result_state is None else json.loads(result_state)


def test_the_first_step_is_where_a_workflow_starts(desk: Desk) -> None:
    result = desk.execute([job("a"), job("island")], {"x": 1})
    assert desk.order == ["a"]
    assert final(result.state) == {"x": 1, "data": {}}
    assert (result.reason, result.has_output, result.error) == ("success", True, None)


def test_steps_run_breadth_first_in_the_order_of_next(desk: Desk) -> None:
    desk.execute([job("a", {"c": True, "b": True}), job("b", "b2"), job("c", "c2"), job("b2"), job("c2")])
    assert desk.order == ["a", "c", "b", "c2", "b2"]


def test_a_step_reached_by_two_ways_runs_twice_and_so_does_what_follows_it(desk: Desk) -> None:
    def walked(state: dict[str, object], request: object) -> dict[str, object]:
        path = state.get("path")
        return {**state, "path": [*(path if isinstance(path, list) else []), desk.engine.requests[-1].job_id]}

    desk.engine.jobs = dict.fromkeys("abcxy", walked)
    result = desk.execute([job("a", {"b": True, "c": True}), job("b", "x"), job("c", "x"), job("x", "y"), job("y")])
    assert final(result.state) == {"y": {"data": {}, "path": ["a", "b", "x", "y"]}, "y-1": {"data": {}, "path": ["a", "c", "x", "y"]}}
    assert list(result.leaves) == ["y", "y-1"]


def test_a_leaf_without_state_is_left_out(desk: Desk) -> None:
    desk.engine.jobs["c"] = lambda state, request: None
    result = desk.execute([job("a", {"b": True, "c": True}), job("b"), job("c")])
    assert final(result.state) == {"data": {}}


def test_without_any_leaf_there_is_no_state(desk: Desk) -> None:
    desk.engine.jobs["a"] = lambda state, request: None
    result = desk.execute([job("a")])
    assert result.state is None
    assert result.has_output


def test_after_a_step_without_state_the_next_begins_with_an_empty_one(desk: Desk) -> None:
    desk.engine.jobs["a"] = lambda state, request: None
    desk.execute([job("a", "b"), job("b")])
    assert desk.engine.requests[1].state == b"{}"
    assert "[R/T] ⚠ WARNING: step a did not return a state object. This may cause downstream jobs to fail." in desk.log


def test_state_travels_as_the_bytes_that_the_host_wrote(desk: Desk) -> None:
    odd = b'{ "data" : 1e400 }'
    desk.engine.jobs["a"] = lambda state, request: RunResult(odd, followed={"b": True})
    desk.engine.jobs["b"] = lambda state, request: RunResult(request.state)
    assert desk.execute([job("a", "b"), job("b")]).state == odd


@pytest.mark.parametrize(
    ("edges", "order"),
    [
        ({"b": True, "c": False}, ["a", "b"]),
        ({"b": {}, "c": {"label": "x"}}, ["a", "b", "c"]),
        ({"b": {"disabled": True}, "c": {"condition": "always", "disabled": True}}, ["a"]),
        ({"b": "always", "c": "never"}, ["a", "b"]),
        ({"b": "on_job_success", "c": "on_job_failure"}, ["a", "b"]),
        ({"b": "on_upstream_success", "c": "on_upstream_fail"}, ["a", "b"]),
        ({"b": "big", "c": "small"}, ["a", "c"]),
    ],
)
def test_edges_decide_what_follows(desk: Desk, edges: dict[str, object], order: list[str]) -> None:
    desk.engine.conditions = {"big": lambda state: False, "small": lambda state: True}
    desk.execute([job("a", edges), job("b"), job("c")])
    assert desk.order == order


def test_after_a_failure_true_and_failure_edges_are_followed(desk: Desk) -> None:
    desk.engine.jobs["a"] = lambda state, request: failure("x")
    result = desk.execute([job("a", {"b": True, "c": "on_job_failure", "d": "on_job_success"}), job("b"), job("c"), job("d")])
    assert desk.order == ["a", "b", "c"]
    assert result.reason == "success"
    assert result.failed_jobs == ("a",)


def test_a_failure_after_which_nothing_runs_fails_the_attempt(desk: Desk) -> None:
    desk.engine.jobs["b"] = lambda state, request: failure("bad b", "RuntimeError")
    result = desk.execute([job("a", {"b": True, "c": True}), job("b", {"d": "on_job_success"}), job("c"), job("d")])
    assert (result.reason, result.error_type, result.error_message) == ("fail", "RuntimeError", "bad b")
    assert result.has_output
    assert result.error is None


def test_of_several_failing_leaves_the_first_in_the_workflow_counts(desk: Desk) -> None:
    desk.engine.jobs = {"b": lambda state, request: failure("of b"), "c": lambda state, request: failure("of c")}
    result = desk.execute([job("a", {"c": True, "b": True}), job("b"), job("c")])
    assert desk.order == ["a", "c", "b"]
    assert result.error_message == "of b"


def test_the_end_option_stops_everything_else(desk: Desk) -> None:
    steps = [job("a", {"b": True, "c": True}), job("b", "d"), job("c"), job("d")]
    result = desk.execute({"workflow": {"steps": steps}, "options": {"end": "b"}})
    assert desk.order == ["a", "b"]
    assert list(result.leaves) == ["b"]


def test_the_start_option_decides_where_to_begin(desk: Desk) -> None:
    desk.execute({"workflow": {"steps": [job("a", "b"), job("b")]}, "options": {"start": "b"}})
    assert desk.order == ["b"]


def test_an_attempt_has_a_bound_on_its_runs(desk: Desk) -> None:
    desk.settings = replace(desk.settings, most_runs=20)
    diamonds = []
    for number in range(6):
        sides = {f"l{number}": True, f"r{number}": True}
        diamonds += [job(f"n{number}", sides), job(f"l{number}", f"n{number + 1}"), job(f"r{number}", f"n{number + 1}")]
    result = desk.execute([*diamonds, job("n6")])
    assert len(desk.order) == 20
    assert (result.reason, result.error_type, result.has_output) == ("crash", "RuntimeCrash", False)
    assert result.error_message is not None
    assert "after 20 runs" in result.error_message
    assert any("after 20 runs" in line for line in desk.log)


def test_a_condition_that_throws_ends_the_attempt_and_is_told(desk: Desk) -> None:
    result = desk.execute([job("a", {"b": "state.no.where", "c": "on_job_failure"}), job("b"), job("c")])
    assert desk.order == ["a"]
    assert (result.reason, result.error_type, result.has_output) == ("crash", "EdgeConditionError", False)
    assert any("a->b" in line and "state.no.where" in line for line in desk.log)


def test_the_text_of_a_condition_that_throws_is_named(desk: Desk) -> None:
    desk.engine.jobs["a"] = lambda state, request: RunResult(b"{}", edge_error=("c", "TypeError: no"))
    result = desk.execute([job("a", {"b": "state.fine", "c": {"condition": "state.no.where"}}), job("b"), job("c")])
    assert result.error is not None
    assert (result.error.message, result.error.fix) == ("a->c: TypeError: no", "Correct the condition: state.no.where")
    assert "[R/T] ✘ Correct the condition: state.no.where" in desk.log


def test_the_attempt_is_ended_in_the_engine_whatever_happens(desk: Desk) -> None:
    desk.settings = replace(desk.settings, attempt="attempt-7")
    desk.execute([job("a")])
    assert desk.engine.ended == ["attempt-7"]


def test_every_run_has_its_record(desk: Desk) -> None:
    desk.settings = replace(desk.settings, keep_states=True)
    desk.engine.jobs["b"] = lambda state, request: failure("x")
    result = desk.execute([job("a", "b", name="Fetch"), job("b")], {"n": 1})
    first, second = result.runs
    assert (first.job_id, first.job_name, first.ok, first.followed, first.reason, first.error_type) == (
        "a",
        "Fetch",
        True,
        ("b",),
        "success",
        None,
    )
    assert (first.input, first.output) == (b'{"n": 1}', b'{"n":1,"data":{}}')
    assert (first.duration_ms, first.heap_bytes, first.rss_bytes) == (5, 5 << 20, 80 << 20)
    assert first.started_ns <= first.finished_ns <= second.started_ns
    assert (second.ok, second.reason, second.error_type, second.followed) == (False, "fail", "JobError", ())
    assert second.output is not None
    assert b'"errors"' in second.output


def test_states_are_not_kept_unless_asked_for(desk: Desk) -> None:
    (run,) = desk.execute([job("a")]).runs
    assert (run.input, run.output) == (None, None)


graphs = st.lists(st.sets(st.integers(1, 6)), min_size=7, max_size=7)
"""Edges of the steps 0 … 6: how far each leads on."""


@given(graphs)
def test_every_step_runs_once_for_each_way_that_leads_to_it(leaps: list[set[int]]) -> None:
    following = {step: sorted({step + leap for leap in leap_set if step + leap <= 6}) for step, leap_set in enumerate(leaps)}
    ways = {0: 1}
    for step in range(1, 7):
        ways[step] = sum(ways[before] for before in range(step) if step in following[before])
    desk = Desk()
    result = desk.execute([job(str(step), {str(target): True for target in following[step]}) for step in range(7)])
    assert {step: desk.order.count(str(step)) for step in range(7)} == ways
    assert len(result.leaves) == sum(ways[step] for step in range(7) if not following[step])
