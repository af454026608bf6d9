"""Message filters decide as PostgreSQL's ``@>`` (the comparison with a real PostgreSQL is in tests/records/test_filters_as_jsonb.py)."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filter_table import TABLE
from kivuko.errors import InputError, InvalidJson
from kivuko.workflow.filters import DEEPEST_PATTERN, MessageFilter, contains, read_filter, read_json

EXACT = [
    ("1", "[1]", False),
    ("1", "[]", False),
    ("[]", "{}", False),
    ("{}", "[]", False),
    ("[]", "null", False),
    ("[null]", "null", True),
    ("null", "null", True),
    ("true", "1", False),
    ("[1]", "true", False),
    ("0", "false", False),
    ("1e400", "1e400", True),
    ("1e400", "1e401", False),
    ("0.1", "0.10000000000000000001", False),
    ("12345678901234567890", "12345678901234567891", False),
    ("100", "1e2", True),
    ("-0", "0", True),
    ('{"a":1,"a":2}', '{"a":1}', False),
    ('{"a":1,"a":2}', '{"a":2}', True),
    ("[[[1]]]", "[[1]]", False),
    ('{"a":[{"b":[1,2]},{"b":[3]}]}', '{"a":[{"b":[3]},{"b":[2]}]}', True),
    ('{"a":[{"b":[1,2]},{"b":[3]}]}', '{"a":[{"b":[2,3]}]}', False),
]


@pytest.mark.parametrize(("body", "pattern", "matches"), [*TABLE, *EXACT])
def test_containment(body: str, pattern: str, matches: bool) -> None:
    assert contains(read_json(body), read_json(pattern)) is matches


DOCUMENTED = [
    ('{"formID":"patient_registration_v7"}', "", '{"formID":"patient_registration_v7","data":{}}', True),
    ('{"formID":"patient_registration_v7"}', "", '{"formID":"patient_registration_v8","data":{}}', False),
    ('{"name":"john doe"}', '{"allowedToShare":false}', '{"name":"john doe"}', True),
    ('{"name":"john doe"}', '{"allowedToShare":false}', '{"name":"john doe","allowedToShare":false}', False),
    ('{"formId":"Robot_Photo_21.04.2015"}', "", '{"formId":"Robot_Photo_21.04.2015","x":1}', True),
    ('{"formId":"Robot_Photo_21.04.2015","secret_number":8}', "", '{"formId":"Robot_Photo_21.04.2015"}', False),
    ('{"formId":"Robot_Photo_21.04.2015"}', '{"safeToProcess":false}', '{"formId":"Robot_Photo_21.04.2015","safeToProcess":true}', True),
    (
        '{"data":[{"outlet_call":"TRUE","new_existing":"Existing"}]}',
        "",
        '{"data":[{"outlet_call":"TRUE"},{"new_existing":"Existing"}]}',
        False,
    ),
    (
        '{"form":{"@xmlns":"http://openrosa.org/formdesigner/1"}}',
        "",
        '{"form":{"@xmlns":"http://openrosa.org/formdesigner/1","n":1}}',
        True,
    ),
    ('{"form":"bns_survey"}', '{"body":{"survey_type":"practice"}}', '{"form":"bns_survey","body":{"survey_type":"practice"}}', False),
    ('{"form":"bns_survey"}', '{"body":{"survey_type":"practice"}}', '{"form":"bns_survey","body":{}}', True),
    ('{"Notification": []}', "", '{"Notification": {"sObject": {}}}', False),
]


@pytest.mark.parametrize(("inclusion", "exclusion", "body", "matches"), DOCUMENTED)
def test_the_filters_of_openfns_documentation(inclusion: str, exclusion: str, body: str, matches: bool) -> None:
    assert read_filter(inclusion, exclusion).matches(read_json(body)) is matches


@pytest.mark.parametrize("blank", [None, "", "  \n"])
def test_a_blank_inclusion_takes_every_message_and_a_blank_exclusion_none_away(blank: str | None) -> None:
    assert read_filter(blank, blank) == MessageFilter()
    assert all(read_filter(blank, blank).matches(body) for body in (None, {}, [], 0))


def test_null_is_a_pattern_and_not_blank() -> None:
    assert not read_filter("null").matches({})
    assert read_filter("null").matches(None)


def test_yaml_may_give_the_criteria_as_a_mapping() -> None:
    assert read_filter({"a": 1.5}, {"b": [2]}).matches({"a": Decimal("1.50"), "b": [3]})


def test_a_float_means_the_decimal_it_is_written_as() -> None:
    assert contains({"a": 0.1}, {"a": Decimal("0.1")})


@pytest.mark.parametrize(
    "text", ['{"a":', "{'a':1}", "NaN", "[Infinity]", "\ufeff{}", '{"a":1}x', "[" * 100_000, "1e-99999999999999999999"]
)
def test_text_that_is_no_json_is_refused_when_it_is_saved(text: str) -> None:
    with pytest.raises(InvalidJson, match="the exclusion of the message filter"):
        read_filter("", text)


def test_a_pattern_may_be_deep_but_not_bottomless() -> None:
    deepest = "[" * DEEPEST_PATTERN + "]" * DEEPEST_PATTERN
    assert read_filter(deepest).matches(read_json(deepest))
    with pytest.raises(InputError, match="more than 100 levels"):
        read_filter(f"[{deepest}]")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, "", "a", "1"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@given(VALUES)
def test_everything_contains_itself(value: object) -> None:
    assert contains(value, json.loads(json.dumps(value)))


@given(VALUES, VALUES, VALUES)
def test_containment_carries_over(whole: object, part: object, smaller: object) -> None:
    if isinstance(part, list) and not isinstance(smaller, list):
        return  # the special case at the top level is not transitive
    if contains(whole, part) and contains(part, smaller):
        assert contains(whole, smaller)
