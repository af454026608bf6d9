"""What an edge's condition says before anything is evaluated."""

from __future__ import annotations

import pytest

from kivuko.workflow import Edge, Job, Trigger, Workflow


@pytest.mark.parametrize(
    ("condition", "word"),
    [
        (True, True),
        (False, False),
        (None, None),
        ("always", True),
        ("never", False),
        ("true", True),
        (" false\n", False),
        ("", False),
        ("\n state.x ", "state.x"),
        ("on_job_success", "on_job_success"),
        ("always;", "always;"),
    ],
)
def test_white_space_and_constant_words_are_resolved(condition: str | bool | None, word: str | bool | None) -> None:
    assert Edge("b", condition).word == word


def test_a_disabled_edge_and_one_that_says_never_cannot_be_followed() -> None:
    assert not Edge("b", True, disabled=True).may_be_followed
    assert not Edge("b", "never").may_be_followed
    assert not Edge("b", None).may_be_followed
    assert Edge("b", "state.x").may_be_followed


@pytest.mark.parametrize("condition", ["on_job_failure", "on_upstream_fail", " on_job_failure "])
def test_edges_for_failure_are_known_by_their_word(condition: str) -> None:
    assert Edge("b", condition).is_for_failure
    assert not Edge("b", condition, disabled=True).is_for_failure


@pytest.mark.parametrize("condition", ["always", "on_job_success", "state.errors", True])
def test_no_other_condition_is_for_failure(condition: str | bool) -> None:
    assert not Edge("b", condition).is_for_failure


def test_a_workflow_finds_its_nodes_and_what_leads_to_them() -> None:
    trigger, job = Trigger("t", edges=(Edge("a"),)), Job("a", "x", name="Fetch", edges=(Edge("a"),))
    workflow = Workflow((trigger, job), id="w")
    assert workflow.by_id() == {"t": trigger, "a": job}
    assert workflow.upstream_of("a") is trigger
    assert workflow.upstream_of("t") is None
    assert (workflow.title, trigger.title, job.title) == ("w", "t", "Fetch")
