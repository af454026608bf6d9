"""Why an Attempt ended."""

from __future__ import annotations

from kivuko.engines.run import RunError
from kivuko.runtime import RunRecord
from kivuko.runtime.reasons import attempt_reason
from kivuko.workflow import Workflow, read_plan

from .conftest import failure, job


def workflow(*steps: dict[str, object]) -> Workflow:
    return read_plan({"steps": list(steps)}).workflow


def run(job_id: str, error: RunError | None = None) -> RunRecord:
    return RunRecord(job_id, job_id, 0, 0, 0.0, error)


def test_nothing_wrong_is_success() -> None:
    assert attempt_reason(None, [run("a")], workflow(job("a"))) == ("success", None, None)


def test_what_ended_the_attempt_early_decides() -> None:
    crash = failure("boom", "RuntimeCrash", "crash")
    assert attempt_reason(crash, [run("a", failure("first"))], workflow(job("a"))) == ("crash", "RuntimeCrash", "boom")


def test_a_failure_that_the_workflow_went_on_from_is_none() -> None:
    flow = workflow(job("a", {"b": "on_job_failure", "c": "on_job_success"}), job("b"), job("c"))
    assert attempt_reason(None, [run("a", failure()), run("b")], flow)[0] == "success"


def test_a_failure_with_edges_of_which_none_was_followed_counts() -> None:
    flow = workflow(job("a", {"b": "on_job_success"}), job("b"))
    assert attempt_reason(None, [run("a", failure("x"))], flow) == ("fail", "JobError", "x")


def test_of_several_runs_of_a_job_the_last_counts() -> None:
    flow = workflow(job("s", {"a": True, "b": True}), job("a", "x"), job("b", "x"), job("x"))
    runs = [run("s"), run("a"), run("b"), run("x", failure("first time")), run("x")]
    assert attempt_reason(None, runs, flow)[0] == "success"
    assert attempt_reason(None, [*runs[:3], run("x"), run("x", failure("second time"))], flow)[2] == "second time"
