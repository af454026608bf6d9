"""JSON and YAML texts become plain values, or one error that names the place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.errors import InputError, InvalidJson
from kivuko.projects import parse_json, parse_yaml

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(VALUES)
def test_json_comes_out_as_it_was_written(given_value: object) -> None:
    assert parse_json(json.dumps(given_value), "no", "here") == given_value


@pytest.mark.parametrize("text", ["", "{", "[1,]", "{'a': 1}", "[" * 100_000])
def test_what_is_no_json_is_refused_with_reason_and_place(text: str) -> None:
    with pytest.raises(InvalidJson, match="bad file") as refused:
        parse_json(text, "bad file", "w.json")
    assert refused.value.details.startswith("w.json: ")


def test_yaml_gives_maps_lists_and_numbers() -> None:
    assert parse_yaml("a: [1, x]\nb:\n  c: null\n", "no", "here") == {"a": [1, "x"], "b": {"c": None}}


@pytest.mark.parametrize("text", ["a: [1", "a: b: c", "- x\nb: 1", "!!python/object/apply:os.system ['id']", "[" * 5_000])
def test_what_is_no_plain_yaml_is_refused_with_reason_and_place(text: str) -> None:
    with pytest.raises(InputError, match="bad file") as refused:
        parse_yaml(text, "bad file", "w.yaml")
    assert refused.value.details.startswith("w.yaml: ")
