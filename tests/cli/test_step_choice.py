"""Which step a pattern means."""

from __future__ import annotations

import pytest

from kivuko.cli.step_choice import choose_step
from kivuko.errors import UnknownStart

STEPS = (("step-a", "Fetch"), ("step-b", "Map it"), ("b", None))


@pytest.mark.parametrize(
    ("pattern", "chosen"), [("step-a", "step-a"), ("Fetch", "step-a"), ("Map", "step-b"), ("-a", "step-a"), ("b", "b")]
)
def test_an_exact_id_wins_and_a_part_of_one_id_or_name_is_enough(pattern: str, chosen: str) -> None:
    assert choose_step(pattern, "start", STEPS) == chosen


def test_an_unknown_step_is_refused_with_near_names() -> None:
    with pytest.raises(UnknownStart) as problem:
        choose_step("Fetsh", "start", STEPS)
    assert problem.value.message == "Error: start step not found"
    assert "Fetch" in problem.value.fix


def test_an_ambiguous_pattern_names_the_steps() -> None:
    with pytest.raises(UnknownStart) as problem:
        choose_step("step", "end", STEPS)
    assert problem.value.message == "Error: end pattern matched multiple steps"
    assert "step-a, step-b" in problem.value.details


def test_upper_and_lower_case_differ() -> None:
    with pytest.raises(UnknownStart):
        choose_step("fetch", "start", STEPS)
