"""A crash or a kill ends the Attempt, but not before its failure edges ran (engine.md §3, no. 7)."""

from __future__ import annotations

import json

import pytest

from kivuko.engines.run import RunError
from kivuko.errors import EngineClosed, HostFailed, NodeMissing
from kivuko.value import replace

from .conftest import Desk, Hands, failure, job

CRASH = failure("ReferenceError: nope is not defined", "RuntimeCrash", "crash", subtype="ReferenceError")
EDGES = {"b": {"condition": "on_job_failure"}, "c": "always", "d": "on_job_success", "e": True}
STEPS = [job("a", EDGES), job("b"), job("c"), job("d"), job("e")]


@pytest.mark.parametrize(
    "error",
    [
        CRASH,
        failure("Illegal eval statement detected", "SecurityError", "kill"),
        RunError("TimeoutError", "kill", "Job took longer than 5ms to complete"),
        RunError("OOMError", "kill", "Run exceeded maximum memory usage"),
        RunError("ExitError", "crash", "Process exited with code: 1"),
    ],
)
def test_only_failure_edges_are_followed_after_a_crash(desk: Desk, error: RunError) -> None:
    desk.engine.jobs["a"] = lambda state, request: error
    result = desk.execute(STEPS, {"data": {"n": 7}})
    assert desk.order == ["a", "b"]
    report = {"source": "runtime", "name": error.name, "severity": error.severity, "message": error.message}
    assert json.loads(result.state or b"") == {"data": {"n": 7}, "errors": {"a": report}}
    assert (result.reason, result.error_type, result.error_message) == (error.severity, error.name, error.message)
    assert result.has_output


def test_without_a_failure_edge_there_is_no_output(desk: Desk) -> None:
    desk.engine.jobs["a"] = lambda state, request: CRASH
    result = desk.execute([job("a", {"b": True}), job("b")])
    assert desk.order == ["a"]
    assert (result.state, result.has_output, result.reason) == (None, False, "crash")
    (run,) = result.runs
    assert (run.error_type, run.reason) == ("ReferenceError", "crash")


def test_other_paths_are_dropped(desk: Desk) -> None:
    desk.engine.jobs["b"] = lambda state, request: CRASH
    steps = [job("s", {"x": True, "b": True, "y": True}), job("x"), job("b", {"f": "on_job_failure"}), job("y"), job("f")]
    result = desk.execute(steps)
    assert desk.order == ["s", "x", "b", "f"]
    assert list(result.leaves) == ["f"]


def test_the_failure_path_goes_on_as_any_other(desk: Desk) -> None:
    desk.engine.jobs["a"] = lambda state, request: CRASH
    result = desk.execute([job("a", {"f": "on_job_failure"}), job("f", {"g": True, "h": True}), job("g"), job("h")])
    assert desk.order == ["a", "f", "g", "h"]
    assert list(result.leaves) == ["g", "h"]
    assert result.reason == "crash"


def test_a_crash_on_the_failure_path_leaves_no_output_and_the_first_reason(desk: Desk) -> None:
    desk.engine.jobs = {"a": lambda state, request: CRASH, "f": lambda state, request: failure("second", "SecurityError", "kill")}
    result = desk.execute([job("a", {"f": "on_job_failure"}), job("f")])
    assert (result.reason, result.error_type, result.has_output) == ("crash", "RuntimeCrash", False)


def test_configuration_of_the_input_does_not_reach_the_failure_path(desk: Desk) -> None:
    desk.engine.jobs["a"] = lambda state, request: CRASH
    desk.execute([job("a", {"f": "on_job_failure"}), job("f")], {"configuration": {"k": 1}})
    assert "configuration" not in json.loads(desk.engine.requests[1].state)


def test_a_cancelled_attempt_follows_nothing(desk: Desk) -> None:
    desk.engine.jobs["a"] = lambda state, request: RunError("Cancelled", "kill", "The run was cancelled")
    result = desk.execute(STEPS)
    assert desk.order == ["a"]
    assert (result.reason, result.error_type, result.has_output) == ("kill", "Cancelled", False)


def test_failed_machinery_is_an_exception_and_takes_the_failure_path(desk: Desk) -> None:
    desk.engine.jobs["a"] = lambda state, request: HostFailed("A host process ended")
    result = desk.execute(STEPS)
    assert desk.order == ["a", "b"]
    assert (result.reason, result.error_type) == ("exception", "ExecutionError")


@pytest.mark.parametrize("problem", [NodeMissing(), EngineClosed()])
def test_what_no_attempt_can_survive_is_raised(desk: Desk, problem: Exception) -> None:
    desk.engine.jobs["a"] = lambda state, request: problem
    with pytest.raises(type(problem)):
        desk.execute(STEPS)
    assert desk.engine.ended == ["1"]


def test_the_time_of_the_attempt_bounds_its_runs(desk: Desk) -> None:
    hands = Hands()
    desk.settings = replace(desk.settings, timeout_ms=900, attempt_timeout_ms=1000, clock=hands.clock)

    def slow(state: dict[str, object], request: object) -> dict[str, object]:
        hands.pass_ms(600)
        return state

    desk.engine.jobs["a"] = slow
    desk.execute([job("a", "b"), job("b")])
    first, second = (request.limits.timeout_ms for request in desk.engine.requests)
    assert first == 900
    assert second is not None
    assert 390 <= second <= 400


def test_after_the_attempts_own_time_the_failure_path_gets_a_minute(desk: Desk) -> None:
    hands = Hands()
    desk.settings = replace(desk.settings, attempt_timeout_ms=1000, clock=hands.clock)

    def too_slow(state: dict[str, object], request: object) -> RunError:
        hands.pass_ms(1001)
        return RunError("TimeoutError", "kill", "Job took longer than 999ms to complete")

    desk.engine.jobs["a"] = too_slow
    result = desk.execute(STEPS)
    assert desk.order == ["a", "b"]
    limit = desk.engine.requests[1].limits.timeout_ms
    assert limit is not None
    assert 59_000 < limit <= 60_000
    assert (result.reason, result.error_type) == ("kill", "TimeoutError")
    assert result.error_message == "Workflow failed to return within 1000ms"
    assert "[R/T] ✘ Error: Timeout expired (1000ms)" in desk.log


def test_a_job_that_is_reached_when_time_is_up_does_not_run(desk: Desk) -> None:
    hands = Hands()
    desk.settings = replace(desk.settings, attempt_timeout_ms=1000, clock=hands.clock)

    def last(state: dict[str, object], request: object) -> dict[str, object]:
        hands.pass_ms(1001)
        return state

    desk.engine.jobs["a"] = last
    result = desk.execute([job("a", "b"), job("b")])
    assert desk.order == ["a"]
    assert result.error_message == "Workflow failed to return within 1000ms"


def test_a_timeout_of_a_step_is_told_with_its_limit(desk: Desk) -> None:
    desk.settings = replace(desk.settings, timeout_ms=300)
    desk.engine.jobs["a"] = lambda state, request: RunError("TimeoutError", "kill", "Job took longer than 300ms to complete")
    result = desk.execute([job("a", "b"), job("b")])
    assert "[R/T] ✘ Error: Timeout expired (300ms)" in desk.log
    assert result.error_message == "Job took longer than 300ms to complete"


@pytest.mark.parametrize(
    ("name", "limit", "option"), [("TimeoutError", "900 ms", "--timeout"), ("OOMError", "250 MB", "--memory"), ("ExitError", "", "")]
)
def test_an_error_that_met_a_limit_names_it_and_the_way_to_raise_it(desk: Desk, name: str, limit: str, option: str) -> None:
    desk.settings = replace(desk.settings, timeout_ms=900, memory_mb=250)
    desk.engine.jobs["a"] = lambda state, request: RunError(name, "kill", "the words of the wire format")
    result = desk.execute([job("a")])
    assert result.error is not None
    assert result.error.message == "the words of the wire format"
    assert (limit in result.error.fix, option in result.error.fix, bool(result.error.fix)) == (True, True, name != "ExitError")
    assert not limit or any(limit in line for line in desk.log)


def test_advice_about_a_limit_is_not_part_of_the_state(desk: Desk) -> None:
    desk.engine.jobs["a"] = lambda state, request: RunError("OOMError", "kill", "Run exceeded maximum memory usage")
    result = desk.execute([job("a", {"b": "on_job_failure"}), job("b")])
    assert set(json.loads(result.state or b"")["errors"]["a"]) == {"source", "name", "severity", "message"}
