"""The strict look at a plan's keys."""

from __future__ import annotations

import pytest

from kivuko.errors import InvalidKey, PlanError
from kivuko.workflow import check_keys


def test_a_plan_with_known_keys_passes_without_a_warning() -> None:
    step = {"id": "a", "adaptors": ["x"], "expression": "y", "next": "b", "linker": {}, "openfn": {}, "enabled": True}
    assert check_keys({"workflow": {"steps": [step]}, "options": {"start": "a", "timeout": 1}}) == ()


def test_an_unknown_key_of_a_step_is_named() -> None:
    with pytest.raises(InvalidKey) as caught:
        check_keys({"steps": [{"id": "a", "foo": 1}]})
    assert caught.value.message == 'Invalid key "foo" in step a'


def test_a_step_without_an_id_is_named_by_its_number() -> None:
    with pytest.raises(InvalidKey, match="in step 2"):
        check_keys({"jobs": [{"id": "a"}, {"foo": 1}]})


def test_a_step_with_an_adaptor_must_have_an_expression() -> None:
    with pytest.raises(PlanError, match="Step a has an adaptor but no expression"):
        check_keys({"workflow": {"steps": [{"id": "a", "adaptor": "http"}]}})


@pytest.mark.parametrize("document", [{}, [], {"workflow": {}}, {"workflow": {"steps": {}}}, {"workflow": 1}])
def test_steps_must_be_a_list(document: object) -> None:
    with pytest.raises(PlanError, match="must be an array"):
        check_keys(document)


def test_steps_must_be_objects() -> None:
    with pytest.raises(PlanError, match="Step 1 is not an object"):
        check_keys({"steps": ["a"]})


def test_empty_steps_and_unknown_options_are_warnings() -> None:
    warnings = check_keys({"workflow": {"steps": []}, "options": {"speed": 1}})
    assert warnings == ("The workflow.steps array is empty", 'Unrecognized option "speed" in options object')
