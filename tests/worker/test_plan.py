"""Reading a plan: the wire's words become a workflow and how one Attempt of it is executed (worker-protocol §9)."""

from __future__ import annotations

from typing import Any

import pytest

from kivuko.errors import InputError
from kivuko.runtime import JobLimits
from kivuko.worker.plan import Assignment, FrontierRun, TakenOver, read_assignment, read_execution_plan, read_traits
from kivuko.worker.retry import RetryPolicy
from kivuko.workflow import Edge

TRIGGER, ONE, TWO = "t1", "j1", "j2"


def plan(**changes: Any) -> dict[str, Any]:
    """A plan of two jobs, as a server sends it."""
    return {
        "id": "a1",
        "name": "Referrals",
        "project_id": "p1",
        "triggers": [{"id": TRIGGER, "type": "webhook"}],
        "jobs": [
            {"id": ONE, "name": "One", "adaptor": "@openfn/language-http@7.0.0", "credential_id": "c1", "body": "fn(s => s)"},
            {"id": TWO, "name": "Two", "adaptor": None, "credential_id": None, "body": ""},
        ],
        "edges": [
            {"id": "e1", "source_trigger_id": TRIGGER, "source_job_id": None, "target_job_id": ONE, "condition": "always", "enabled": True},
            {"id": "e2", "source_job_id": ONE, "target_job_id": TWO, "condition": "on_job_failure", "failure_input": "initial"},
        ],
        "starting_node_id": TRIGGER,
        "dataclip_id": "d1",
        "options": {},
        **changes,
    }


def assignment(**changes: Any) -> Assignment:
    """What it says of one Attempt."""
    return read_assignment(plan(**changes), timeout_ms=300_000, memory_mb=500, payload_mb=10)


def test_jobs_and_edges_keep_their_order_and_place() -> None:
    found = read_execution_plan(plan(globals="export const x = 1"))
    trigger, one, two = found.workflow.nodes
    assert (found.start, found.workflow.title, found.workflow.globals) == (TRIGGER, "Referrals", "export const x = 1")
    assert (one.adaptors, one.configuration, one.title) == (("@openfn/language-http@7.0.0",), "c1", "One")
    assert (two.adaptors, two.configuration, bool(two.expression)) == ((), None, True)
    assert trigger.edges == (Edge(ONE, "always"),)
    assert one.edges == (Edge(TWO, "on_job_failure", failure_input="initial"),)


@pytest.mark.parametrize(
    ("condition", "word"), [(None, True), ("on_job_success", "on_job_success"), ("state.n > 1", "state.n > 1"), (False, False)]
)
def test_conditions_are_words_or_javascript_and_null_is_always(condition: object, word: object) -> None:
    edges = [{"source_job_id": ONE, "target_job_id": TWO, "condition": condition}]
    assert read_execution_plan(plan(edges=edges)).workflow.by_id()[ONE].edges[0].word == word


def test_an_edge_that_is_switched_off_is_not_followed() -> None:
    edges = [{"source_job_id": ONE, "target_job_id": TWO, "condition": "always", "enabled": False}]
    assert not read_execution_plan(plan(edges=edges)).workflow.by_id()[ONE].edges[0].may_be_followed


def test_an_inline_credential_is_a_configuration() -> None:
    jobs = [{"id": ONE, "body": "fn()", "credential": {"user": "u"}}]
    assert read_execution_plan(plan(jobs=jobs, edges=[])).workflow.jobs[0].configuration == {"user": "u"}


def test_limits_come_from_the_server_and_else_from_the_worker() -> None:
    said = {"run_timeout_ms": 1000, "run_memory_limit_mb": 64, "payload_limit_mb": 1, "job_log_level": "none", "output_dataclips": False}
    found = assignment(options=said)
    assert (found.timeout_ms, found.memory_mb, found.payload_bytes) == (1000, 64, 1024 * 1024)
    assert (found.job_log_level, found.keeps_outputs) == ("none", False)
    usual = assignment()
    assert (usual.timeout_ms, usual.memory_mb, usual.payload_bytes) == (300_000, 500, 10 * 1024 * 1024)
    assert (usual.job_log_level, usual.keeps_outputs, usual.frontier, usual.taken_over) == ("debug", True, (), None)


def test_time_that_was_executed_before_counts() -> None:
    assert assignment(options={"run_timeout_ms": 1000}, executed_ms=400).remaining_ms == 600
    assert assignment(options={"run_timeout_ms": 1000}, executed_ms=4000).remaining_ms == 1


def test_the_frontier_and_what_came_before_it() -> None:
    leaves = [{"job_id": ONE, "dataclip_id": "d9"}]
    found = assignment(
        runs=[{"id": "r1", "job_id": ONE, "tries": 2}, {"id": "r2", "job_id": TWO}],
        taken_over={"reason": "fail", "error_type": "JobError", "error_message": "no", "leaves": leaves},
    )
    assert found.frontier == (FrontierRun("r1", ONE, 2), FrontierRun("r2", TWO, 0))
    assert found.taken_over == TakenOver("fail", "JobError", "no", ((ONE, "d9"),))


def test_traits_of_jobs() -> None:
    jobs = [{"id": ONE, "body": "x", "retry": {"max_tries": 5}, "timeout_ms": 7, "memory_mb": 64}, {"id": TWO, "body": "y", "retry": None}]
    document = plan(jobs=jobs)
    traits = read_traits(document, read_execution_plan(document).workflow)
    assert traits.limits == {ONE: JobLimits(7, 64), TWO: JobLimits(None, None)}
    assert traits.retries == {ONE: RetryPolicy(5)}
    assert traits.for_failures


@pytest.mark.parametrize("broken", [{"starting_node_id": None}, {"jobs": [{"body": "x"}]}, {"edges": [{"source_job_id": ONE}]}])
def test_a_plan_that_lacks_an_id_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="no text"):
        read_execution_plan(plan(**broken))
