"""What makes the structure of a workflow sound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.errors import CircularDependency, PlanError, UnknownStart, UnknownTarget
from kivuko.workflow import ExecutionPlan, read_plan, validate


def plan_of(edges: dict[str, object], **options: object) -> ExecutionPlan:
    steps = [{"id": name, "expression": "x", "next": following} for name, following in edges.items()]
    return read_plan({"workflow": {"steps": steps}, "options": options})


def message_of(plan: ExecutionPlan) -> str:
    with pytest.raises(PlanError) as caught:
        validate(plan)
    return caught.value.message


def test_a_sound_workflow_is_accepted() -> None:
    validate(plan_of({"a": {"b": True, "c": "state.x"}, "b": {"d": True}, "c": {"d": True}, "d": None}, start="b", end="c"))


def test_an_unknown_start_is_named() -> None:
    with pytest.raises(UnknownStart, match="Could not find start job: z") as caught:
        validate(plan_of({"a": None}, start="z"))
    assert "a" in caught.value.fix


def test_an_unknown_start_of_the_workflow_gives_the_same_error() -> None:
    assert message_of(read_plan({"steps": [{"id": "a", "expression": "x"}], "start": "zz"})) == "Could not find start job: zz"


def test_only_the_start_that_counts_must_exist() -> None:
    validate(read_plan({"workflow": {"steps": [{"id": "a", "expression": "x"}], "start": "zz"}, "options": {"start": "a"}}))


def test_an_unknown_end_is_refused() -> None:
    assert message_of(plan_of({"a": None}, end="z")) == "Could not find end job: z"


@pytest.mark.parametrize("following", ["x", {"x": True}, {"x": False}, {"x": {"disabled": True}}])
def test_every_edge_must_lead_somewhere(following: object) -> None:
    with pytest.raises(UnknownTarget, match="Cannot find job: x"):
        validate(plan_of({"a": following}))


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ({"a": {"a": True}}, "Circular dependency: a <-> a"),
        ({"a": {"b": True}, "b": {"a": True}}, "Circular dependency: b <-> a"),
        ({"a": "b", "b": "a"}, "Circular dependency: b <-> a"),
        ({"a": {"b": True}, "b": {"c": True}, "c": {"b": True}}, "Circular dependency: c <-> b"),
        ({"a": {"b": False}, "b": {"a": {"disabled": True}}}, "Circular dependency: b <-> a"),
        ({"a": {"b": True, "c": True}, "b": None, "c": {"d": True}, "d": {"a": True}}, "Circular dependency: d <-> a"),
        ({"x": {"y": True}, "y": None, "a": "b", "b": "c", "c": "a"}, "Circular dependency: c <-> a"),
    ],
)
def test_every_circle_is_refused_with_the_edge_that_closes_it(edges: dict[str, object], message: str) -> None:
    with pytest.raises(CircularDependency) as caught:
        validate(plan_of(edges))
    assert caught.value.message == message


def test_a_node_behind_a_circle_is_not_blamed() -> None:
    assert message_of(plan_of({"z": None, "a": {"a": True, "z": True}})) == "Circular dependency: a <-> a"


def test_all_edges_without_a_condition_that_can_be_read_are_named_together() -> None:
    message = message_of(plan_of({"a": {"b": None, "c": []}, "b": None, "c": None}))
    first, second = message.split("\n\n")
    assert first.startswith("Failed to compile edge condition a->b (")
    assert second.startswith("Failed to compile edge condition a->c (")


def test_a_long_chain_is_validated_without_recursion() -> None:
    chain: dict[str, object] = {str(number): str(number + 1) for number in range(5000)}
    validate(plan_of({**chain, "5000": None}))
    assert message_of(plan_of({**chain, "5000": "0"})) == "Circular dependency: 5000 <-> 0"


graphs = st.dictionaries(st.integers(0, 6).map(str), st.lists(st.integers(0, 6).map(str), max_size=3), min_size=7, max_size=7)


@given(graphs)
def test_a_workflow_is_refused_exactly_if_a_step_can_reach_itself(graph: dict[str, list[str]]) -> None:
    reach = {node: set(targets) for node, targets in graph.items()}
    for _ in graph:
        reach = {node: targets.union(*(reach[target] for target in targets)) for node, targets in reach.items()}
    plan = plan_of({node: dict.fromkeys(targets, True) for node, targets in graph.items()})
    if any(node in targets for node, targets in reach.items()):
        with pytest.raises(CircularDependency):
            validate(plan)
    else:
        validate(plan)
