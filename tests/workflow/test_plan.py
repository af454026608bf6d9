"""Reading and writing OpenFn's execution plans."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.errors import PlanError
from kivuko.workflow import Edge, ExecutionPlan, Job, ModuleLink, Trigger, read_plan, write_plan

STEP = {"id": "a", "expression": "fn(s => s)"}


def steps_of(*steps: object) -> ExecutionPlan:
    return read_plan({"workflow": {"steps": list(steps)}})


def only_job(step: object) -> Job:
    (job,) = steps_of(step).workflow.jobs
    return job


def test_a_step_with_an_expression_is_a_job_and_one_without_is_a_trigger() -> None:
    plan = steps_of({"id": "t", "type": "webhook", "enabled": True, "webhook_reply": "x"}, STEP)
    assert plan.workflow.nodes == (
        Trigger("t", kind="webhook", enabled=True, extra={"webhook_reply": "x"}),
        Job("a", "fn(s => s)"),
    )


def test_an_empty_expression_makes_a_trigger_and_one_of_white_space_a_job() -> None:
    plan = steps_of({"id": "t", "expression": ""}, {"id": "j", "expression": " "})
    assert [node.id for node in plan.workflow.triggers] == ["t"]
    assert [node.id for node in plan.workflow.jobs] == ["j"]


def test_every_key_of_a_job_is_read() -> None:
    job = only_job(
        {
            "id": "a",
            "name": "Fetch",
            "expression": "get()",
            "adaptors": ["http", "common"],
            "configuration": {"k": 1},
            "state": {"data": 1},
            "previous": "t",
            "linker": {"http": {"version": "1.0.0"}, "x": {"path": "/p"}},
            "sourceMap": {"version": 3},
            "openfn": {"uuid": "u"},
        }
    )
    assert job == Job(
        "a",
        "get()",
        name="Fetch",
        adaptors=("http", "common"),
        configuration={"k": 1},
        state={"data": 1},
        previous="t",
        linker={"http": ModuleLink(version="1.0.0"), "x": ModuleLink(path="/p")},
        source_map={"version": 3},
        extra={"openfn": {"uuid": "u"}},
    )


def test_one_adaptor_may_be_given_as_a_text() -> None:
    assert only_job({**STEP, "adaptor": "common"}).adaptors == ("common",)


def test_a_credential_may_be_an_id() -> None:
    assert only_job({**STEP, "configuration": "cred-1"}).configuration == "cred-1"


@pytest.mark.parametrize(
    ("written", "edges"),
    [
        ("b", (Edge("b"),)),
        ({"b": True}, (Edge("b"),)),
        ({"b": False}, (Edge("b", False),)),
        ({"b": None}, (Edge("b", None),)),
        ({"b": []}, (Edge("b", None),)),
        ({"b": 1}, (Edge("b", True),)),
        ({"b": "state.x"}, (Edge("b", "state.x"),)),
        ({"b": {}}, (Edge("b"),)),
        ({"b": {"label": "x"}}, (Edge("b", label="x"),)),
        ({"b": {"condition": "always", "disabled": True}}, (Edge("b", "always", disabled=True),)),
        ({"b": {"condition": False}}, (Edge("b", False),)),
        ({"c": True, "b": True}, (Edge("c"), Edge("b"))),
        (None, ()),
        ("", ()),
    ],
)
def test_edges_are_read_in_the_order_of_next(written: object, edges: tuple[Edge, ...]) -> None:
    assert only_job({**STEP, "next": written}).edges == edges


def test_steps_without_an_id_are_numbered_among_themselves() -> None:
    plan = steps_of({"expression": "1"}, {"id": "x", "expression": "2"}, {"expression": "3"})
    assert [node.id for node in plan.workflow.nodes] == ["job-1", "x", "job-2"]


def test_of_two_steps_with_one_id_the_later_replaces_the_earlier() -> None:
    plan = steps_of({"id": "a", "expression": "1"}, {"id": "b", "expression": "2"}, {"id": "a", "expression": "3"})
    assert [(job.id, job.expression) for job in plan.workflow.jobs] == [("a", "3"), ("b", "2")]
    assert plan.workflow.repeated_ids == ("a",)


def test_a_made_up_id_that_a_step_has_already_counts_as_repeated() -> None:
    plan = steps_of({"id": "job-1", "expression": "1"}, {"expression": "2"})
    assert plan.workflow.repeated_ids == ("job-1",)
    assert steps_of({"id": "x", "expression": "1"}, {"expression": "2"}).workflow.repeated_ids == ()


def test_an_id_of_digits_in_yaml_is_a_text() -> None:
    assert steps_of({"id": 7, "expression": "1"}).workflow.nodes[0].id == "7"


def test_the_flat_form_is_read() -> None:
    plan = read_plan({"id": "w", "name": "W", "start": "a", "options": {"timeout": 5}, "steps": [STEP], "globals": "export const x = 1"})
    assert (plan.workflow.id, plan.workflow.name, plan.workflow.globals) == ("w", "W", "export const x = 1")
    assert plan.options.timeout_ms == 5
    assert plan.start == "a"
    assert not plan.converted


def test_the_old_form_is_read_and_marked_as_converted() -> None:
    plan = read_plan({"id": "w", "start": "b", "jobs": [STEP, {**STEP, "id": "b"}]})
    assert plan.converted
    assert plan.start == "b"
    assert [job.id for job in plan.workflow.jobs] == ["a", "b"]


def test_what_was_converted_is_written_in_the_new_form() -> None:
    assert write_plan(read_plan({"start": "a", "jobs": [STEP]})) == {"workflow": {"start": "a", "steps": [STEP]}}


@pytest.mark.parametrize("entries", [{"one": {"steps": [STEP]}}, [{"name": "one", "steps": [STEP]}], {"one": {"jobs": {"a": STEP}}}])
def test_workflows_with_one_entry_are_a_plan(entries: object) -> None:
    plan = read_plan({"workflows": entries})
    assert plan.workflow.name == "one"
    assert [job.id for job in plan.workflow.jobs] == ["a"]


def test_workflows_with_several_entries_are_refused() -> None:
    with pytest.raises(PlanError, match='"workflows" holds 2 workflows'):
        read_plan({"workflows": {"x": {"steps": []}, "y": {"steps": []}}})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "The execution plan is not an object but null"),
        ([], "The execution plan is not an object but a list"),
        ({}, 'has no "workflow" and no "steps"'),
        ({"workflow": 3}, '"workflow" is not an object but a number'),
        ({"workflow": {}}, "are not a list"),
        ({"steps": "x"}, "are not a list"),
        ({"steps": ["x"]}, "Step 1 is not an object but a text"),
        ({"steps": [{"id": "a", "next": ["b"]}]}, '"next" of step a is neither'),
        ({"steps": [{"id": "a", "expression": True}]}, '"expression" of step a is true, not a text'),
        ({"steps": [{**STEP, "adaptors": [1]}]}, '"adaptors" of step a is a list, not a list of texts'),
        ({"steps": [{**STEP, "state": 1}]}, '"state" of step a is a number, not an object'),
        ({"steps": [{"id": "t", "enabled": "no"}]}, '"enabled" of step t is a text, not true or false'),
        ({"steps": [], "options": {"timeout": "soon"}}, '"timeout" of "options" is a text'),
        ({"steps": [], "options": {"timeout": -1}}, '"timeout" of "options" is a number'),
        ({"steps": [], "options": {"timeout": True}}, '"timeout" of "options" is true'),
    ],
)
def test_a_document_of_another_shape_is_refused_with_its_place(document: object, message: str) -> None:
    with pytest.raises(PlanError, match=message) as caught:
        read_plan(document)
    assert caught.value.fix


def test_a_timeout_may_be_a_text_of_digits() -> None:
    assert read_plan({"steps": [], "options": {"timeout": "250"}}).options.timeout_ms == 250


def test_the_start_of_the_options_wins_over_that_of_the_workflow() -> None:
    document = {"workflow": {"steps": [STEP], "start": "b"}, "options": {"start": "c"}}
    assert read_plan(document).start == "c"
    assert read_plan({"workflow": {"steps": [STEP], "start": "b"}}).start == "b"
    assert read_plan({"workflow": {"steps": [STEP]}}).start == "a"


def test_a_workflow_without_steps_has_no_start() -> None:
    with pytest.raises(PlanError, match="no steps"):
        _ = read_plan({"steps": []}).start


def test_a_written_plan_reads_as_the_same_plan_with_all_its_keys() -> None:
    document = {
        "id": "p",
        "workflow": {
            "id": "w",
            "name": "W",
            "start": "t",
            "globals": "g",
            "credentials": {"a": 1},
            "openfn": {"x": 1},
            "steps": [
                {"id": "t", "type": "cron", "enabled": False, "cron_expression": "* * * * *", "next": {"a": True}},
                {
                    "id": "a",
                    "name": "A",
                    "adaptors": ["common"],
                    "expression": "fn()",
                    "configuration": "c",
                    "state": {"d": 1},
                    "previous": "t",
                    "linker": {"common": {"version": "1"}},
                    "sourceMap": {"version": 3},
                    "next": {"b": {"condition": "state.x", "label": "l", "disabled": True, "id": "e"}, "c": False},
                },
            ],
        },
        "options": {"start": "a", "end": "a", "timeout": 1, "stepTimeout": 2, "sanitize": "none", "collectionsEndpoint": "u", "z": 1},
        "meta": 1,
    }
    assert write_plan(read_plan(document)) == document


conditions = st.one_of(st.booleans(), st.text(max_size=8), st.none())
edges = st.dictionaries(st.text(min_size=1, max_size=3), conditions, max_size=3)
steps = st.fixed_dictionaries({"id": st.text(min_size=1, max_size=3), "expression": st.text(max_size=5), "next": edges})


@given(st.lists(steps, max_size=5, unique_by=lambda step: step["id"]))
def test_writing_and_reading_again_changes_nothing(documents: list[object]) -> None:
    plan = read_plan({"steps": documents})
    assert read_plan(write_plan(plan)) == plan


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["workflow", "steps", "id", "next", "options"]), inner),
    max_leaves=8,
)


@given(json_values)
def test_any_document_is_read_or_refused_with_a_plan_error(document: object) -> None:
    try:
        plan = read_plan(document)
    except PlanError:
        return
    assert isinstance(plan, ExecutionPlan)
