"""Which edges are followed (jobs-and-runtime §2.3)."""

from __future__ import annotations

import json
from typing import Literal

import pytest

from kivuko.engines import Limits, RunRequest

from .conftest import KEY, Bench

FAIL = "s => { throw new Error('e') }"


@pytest.mark.parametrize(
    ("condition", "after_success", "after_failure"),
    [
        (True, True, True),
        ("always", True, True),
        ("never", False, False),
        ("on_job_success", True, False),
        ("on_upstream_success", True, False),
        ("on_job_failure", False, True),
        ("on_upstream_fail", False, True),
        ("!state.errors", True, False),
        ("upstreamStepId === 'a'", True, True),
        ("\n  true", True, True),
        ("true; false", True, True),
        ("Promise.resolve(false)", True, True),
        ("0", False, False),
        ("state.data.n > 1 // comment", False, False),
    ],
)
def test_conditions_and_words(bench: Bench, condition: str | bool, after_success: bool, after_failure: bool) -> None:
    edges = (("b", condition),)
    assert bench.run("s => s", edges=edges).followed == {"b": after_success}
    assert bench.run(FAIL, edges=edges).followed == {"b": after_failure}


def test_only_the_job_itself_counts_for_success_and_failure(bench: Bench) -> None:
    state = b'{"errors":{"earlier":{"message":"x"}}}'
    assert bench.run("s => s", state=state, edges=(("b", "on_job_success"), ("c", "on_job_failure"))).followed == {"b": True, "c": False}


def test_a_run_without_state_succeeded(bench: Bench) -> None:
    assert bench.run("s => null", edges=(("b", "on_job_success"), ("c", "state === undefined"))).followed == {"b": True, "c": True}


def test_conditions_see_the_cleaned_state_and_may_change_it(bench: Bench) -> None:
    edges = (("b", "state.configuration === undefined && state.f === undefined"), ("c", "(state.mark = 1)"))
    result = bench.run("s => ({ ...s, f: () => 1 })", configuration=b'{"k":1}', edges=edges)
    assert result.followed == {"b": True, "c": True}
    assert result.state is not None
    assert json.loads(result.state) == {"data": {}, "mark": 1}


@pytest.mark.parametrize("text", ["setTimeout", "process", "fetch", "require", "Buffer", "eval('1')", "state.no.where"])
def test_a_condition_that_throws_is_named_with_its_message(bench: Bench, text: str) -> None:
    result = bench.run("s => s", edges=(("good", True), ("b", text), ("later", True)))
    assert result.edge_error is not None
    assert result.edge_error[0] == "b"
    assert result.edge_error[1].split(":")[0] in {"ReferenceError", "EvalError", "TypeError"}
    assert result.followed == {"good": True}


def test_a_condition_cannot_close_its_wrapper(bench: Bench) -> None:
    result = bench.run("s => s", edges=(("b", "1 }) ; (function(){ return 1"),))
    assert result.edge_error is not None
    assert result.edge_error[1].startswith("SyntaxError")


def test_an_endless_condition_is_under_the_time_limit_of_its_run(bench: Bench) -> None:
    result = bench.run("s => s", edges=(("b", "(() => { while (true); })()"),), limits=Limits(timeout_ms=300))
    assert result.error is not None
    assert result.error.name == "TimeoutError"


def test_a_condition_may_log(bench: Bench) -> None:
    bench.run("s => s", edges=(("b", "console.log('asked')"),))
    assert bench.log == [("info", "JOB", ("asked",))]


def test_without_a_script_the_state_passes_untouched_and_edges_are_decided(bench: Bench) -> None:
    state = b'{"configuration":{"k":1},"data":{"n":2}}'
    edges: tuple[tuple[str, str | Literal[True]], ...] = (("b", "state.data.n == 2"), ("c", "state.configuration.k == 2"), ("d", True))
    result = bench.engine.run(RunRequest(KEY, "attempt", "t", "t", "", "", state, edges=edges))
    assert (result.state, result.followed) == (state, {"b": True, "c": False, "d": True})
