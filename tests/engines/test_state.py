"""State on its way into a job and out of it (jobs-and-runtime §2.5, §2.6)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.engines import Limits

from .conftest import Bench

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def out(bench: Bench, *operations: str, **options: Any) -> Any:
    state = bench.run(*operations, **options).state
    return None if state is None else json.loads(state)


@given(value=JSON_VALUES)
def test_any_json_value_under_a_key_passes_through_unchanged(bench: Bench, value: Any) -> None:
    state = json.dumps({"data": {}, "kept": value}).encode()
    assert out(bench, "s => s", state=state) == {"data": {}, "kept": value}


@pytest.mark.parametrize(
    ("incoming", "default", "data"),
    [
        ('{"data":{"a":1}}', '{"data":{"a":0,"b":2}}', {"a": 1, "b": 2}),
        ('{"data":[1]}', '{"data":{"b":2}}', [1]),
        ('{"data":7}', '{"data":{"b":2}}', 7),
        ('{"data":"x"}', '{"data":{"b":2}}', "x"),
        ('{"data":null}', '{"data":{"b":2}}', {"b": 2}),
        ('{"data":0}', None, {}),
        ('{"data":false}', None, {}),
        ('{"data":""}', None, {}),
        ("{}", None, {}),
    ],
)
def test_data_is_merged_unless_it_is_an_array_or_a_scalar(bench: Bench, incoming: str, default: str | None, data: Any) -> None:
    options = {} if default is None else {"default_state": default.encode()}
    assert out(bench, "s => s", state=incoming.encode(), **options)["data"] == data


def test_the_default_state_lies_under_the_incoming_one(bench: Bench) -> None:
    assert out(bench, "s => s", state=b'{"a":1}', default_state=b'{"a":0,"b":2}') == {"a": 1, "b": 2, "data": {}}


def test_configuration_is_merged_and_the_steps_own_wins(bench: Bench) -> None:
    found = out(
        bench,
        "s => ({ seen: { ...s.configuration } })",
        state=b'{"configuration":{"a":2,"b":2}}',
        credentials=b'{"a":1,"z":1}',
        configuration=b'{"b":3}',
    )
    assert found == {"seen": {"a": 2, "b": 3, "z": 1}}


def test_configuration_stays_behind_unless_told_otherwise(bench: Bench) -> None:
    assert out(bench, "s => s", configuration=b'{"a":1}') == {"data": {}}
    assert out(bench, "s => ({...s, response: 1})", remove_keys=("response",)) == {"data": {}, "configuration": {}}


@pytest.mark.parametrize("falsy", ["undefined", "null", "0", "''", "false"])
def test_a_falsy_result_is_no_state(bench: Bench, falsy: str) -> None:
    assert bench.run(f"s => {falsy}").state is None


def test_after_no_state_the_next_operation_gets_an_empty_object_and_a_warning(bench: Bench) -> None:
    assert out(bench, "s => null", "s => ({ got: Object.keys(s) })") == {"got": []}
    assert bench.log == [
        ("warn", "R/T", ("WARNING: No state was passed into operation 2. Did the previous operation return state?",)),
    ]


@pytest.mark.parametrize(("value", "json_text"), [("42", b"42"), ("'x'", b'"x"'), ("[1]", b"[1]"), ("true", b"true")])
def test_truthy_values_that_are_no_objects_are_legal_states(bench: Bench, value: str, json_text: bytes) -> None:
    assert bench.run(f"s => {value}").state == json_text


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("() => 1", None),
        ("undefined", None),
        ("Symbol('x')", None),
        ("NaN", "null"),
        ("Infinity", "null"),
        ("-0", "0"),
        ("new Date(0)", '"1970-01-01T00:00:00.000Z"'),
        ("{ toJSON: () => 'mine' }", '"mine"'),
        ("new Map([[1, 2]])", "{}"),
        ("new Set([1])", "{}"),
        ("/x/", "{}"),
        ("Object.assign(new Error('e'), { code: 5 })", '{"code":5}'),
        ("Promise.resolve(1)", "{}"),
        ("Buffer.from('hi')", '{"type":"Buffer","data":[104,105]}'),
        ("[() => 1, undefined]", "[null,null]"),
        ("new (class P { constructor() { this.x = 1 } })()", '{"x":1}'),
        ("123456789012345678901234567890n", '"123456789012345678901234567890"'),
    ],
)
def test_values_that_json_does_not_know_become_what_the_specification_says(bench: Bench, expression: str, expected: str | None) -> None:
    state = bench.run(f"s => ({{ v: {expression}, last: 1 }})").state
    assert state == (b'{"last":1}' if expected is None else f'{{"v":{expected},"last":1}}'.encode())


def test_a_circle_is_marked_where_it_closes_and_shared_objects_are_kept(bench: Bench) -> None:
    operation = "s => { const a = { n: 1 }; a.self = a; const b = { m: 2 }; return { a, left: b, right: b, list: [b, b] } }"
    b = {"m": 2}
    assert out(bench, operation) == {"a": {"n": 1, "self": "[Circular]"}, "left": b, "right": b, "list": [b, b]}


def test_a_bigint_keeps_the_rest_of_the_state_and_is_named(bench: Bench) -> None:
    assert out(bench, "s => ({ data: { rows: [{ id: 10n }] }, ok: 1 })") == {"data": {"rows": [{"id": "10"}]}, "ok": 1}
    ((level, source, message),) = bench.log
    assert (level, source) == ("error", "R/T")
    assert "data.rows.0.id" in str(message[0])


def test_a_function_as_the_final_state_fails_with_a_message(bench: Bench) -> None:
    result = bench.run("s => () => 1")
    assert result.error is not None
    assert "function" in result.error.message


def test_a_getter_that_throws_fails_the_run_and_says_why(bench: Bench) -> None:
    result = bench.run("s => ({ get bad() { throw new Error('no reading') } })")
    assert result.error is not None
    assert (result.error.name, result.error.severity) == ("JobError", "fail")
    assert "no reading" in result.error.message


def test_state_larger_than_the_limit_kills_the_run(bench: Bench) -> None:
    result = bench.run("s => ({ big: 'é'.repeat(600000) })", limits=Limits(state_mb=1))
    assert result.state is None
    assert result.error is not None
    assert (result.error.name, result.error.severity, result.error.message) == (
        "StateTooLargeError",
        "kill",
        "State exceeds the limit of 1mb",
    )
    assert bench.run("s => ({ big: 'é'.repeat(500000) })", limits=Limits(state_mb=1)).error is None


def test_immutable_operations_get_a_copy_each(bench: Bench) -> None:
    operations = ("s => { globalThis.first = s; return s }", "s => ({ same: s === globalThis.first })")
    assert out(bench, *operations) == {"same": True}
    assert out(bench, *operations, immutable=True) == {"same": False}


def test_the_state_global_is_the_input_object(bench: Bench) -> None:
    assert out(bench, "s => ({ same: s === state })") == {"same": True}


def test_state_belongs_to_the_realm_of_the_run(bench: Bench) -> None:
    assert out(bench, "s => ({ object: s.data instanceof Object, made: {} instanceof Object })") == {"object": True, "made": True}


def test_large_states_pass_in_pieces_without_breaking_characters(bench: Bench) -> None:
    found = out(bench, "s => ({ text: ('a' + '😀'.repeat(400000)) })")
    assert found == {"text": "a" + "😀" * 400000}
