"""What makes a configuration-schema.json unfit for a form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.cli.adaptor_schema import schema_problems

DRAFT = "http://json-schema.org/draft-07/schema#"


def problems_of(tmp_path: Path, schema: object) -> list[str]:
    file = tmp_path / "configuration-schema.json"
    file.write_text(schema if isinstance(schema, str) else json.dumps(schema))
    return schema_problems(file)


def with_property(entry: object) -> dict[str, object]:
    return {"$schema": DRAFT, "type": "object", "properties": {"a": entry}}


@pytest.mark.parametrize(
    "entry",
    [
        {"title": "A", "type": "string", "writeOnly": True, "examples": ["x"], "minLength": 1},
        {"title": "A", "anyOf": [{"type": "string"}, {"type": "null"}]},
        {"title": "A", "format": "uri"},
        {"title": "A", "type": ["string", "null"], "enum": ["x", None]},
        {"title": "A"},
    ],
)
def test_what_real_adaptors_write_is_sound(tmp_path: Path, entry: object) -> None:
    assert problems_of(tmp_path, with_property(entry)) == []


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("{nope", "it is no JSON"),
        ([], "it must be an object"),
        ({"type": "object", "properties": {}}, '"$schema"'),
        ({"$schema": DRAFT, "properties": {}}, '"type" must be "object"'),
        ({"$schema": DRAFT, "type": "object"}, '"properties" must be an object'),
        ({"$schema": DRAFT, "type": "object", "properties": {}, "required": "a"}, '"required" must be a list'),
        ({"$schema": DRAFT, "type": "object", "properties": {}, "required": ["a"]}, '"required" names a'),
        (with_property([]), "properties.a: it must be an object"),
        (with_property({"title": "A", "type": "text"}), 'properties.a: "type" "text" is none of'),
        (with_property({"title": "A", "writeOnly": "yes"}), 'properties.a: "writeOnly" must be true or false'),
        (with_property({"title": "A", "examples": "x"}), 'properties.a: "examples" must be a list'),
        (with_property({"type": "string"}), 'properties.a: it has no "title"'),
    ],
)
def test_a_problem_is_named_with_its_place(tmp_path: Path, schema: object, said: str) -> None:
    assert any(said in problem for problem in problems_of(tmp_path, schema))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "properties", "required", "a"]), inner, max_size=3)
    ),
)


@given(JSON)
def test_any_json_is_judged_without_failing(tmp_path_factory: pytest.TempPathFactory, schema: object) -> None:
    assert all(isinstance(problem, str) for problem in problems_of(tmp_path_factory.getbasetemp(), schema))
