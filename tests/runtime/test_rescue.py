"""What failure edges hand on."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.runtime import rescue
from kivuko.runtime.rescue import with_error

REPORT = {"name": "RuntimeCrash", "severity": "crash"}


def merged(state: bytes | None, **options: tuple[str, ...]) -> object:
    return json.loads(with_error(state, "a", REPORT, **options))


def test_the_error_joins_the_input() -> None:
    assert merged(b'{"data":{"n":7}}') == {"data": {"n": 7}, "errors": {"a": REPORT}}


def test_errors_of_earlier_jobs_stay() -> None:
    assert merged(b'{"errors":{"z":1,"a":2}}') == {"errors": {"z": 1, "a": REPORT}}


@pytest.mark.parametrize("errors", [b"null", b"22", b'"x"', b"[1]"])
def test_errors_that_are_no_object_are_replaced(errors: bytes) -> None:
    assert merged(b'{"errors":' + errors + b"}") == {"errors": {"a": REPORT}}


def test_configuration_does_not_travel() -> None:
    assert merged(b'{"configuration":{"k":1},"x":2}', removed=("configuration",)) == {"x": 2, "errors": {"a": REPORT}}


@pytest.mark.parametrize(
    ("state", "spread"), [(b'["p","q"]', {"0": "p", "1": "q"}), (b'"xy"', {"0": "x", "1": "y"}), (b"3", {}), (None, {}), (b"{oops", {})]
)
def test_a_state_that_is_no_object_is_spread_as_javascript_does(state: bytes | None, spread: dict[str, object]) -> None:
    assert merged(state) == {**spread, "errors": {"a": REPORT}}


def test_a_state_too_deep_for_python_gets_the_error_at_its_end() -> None:
    deep = b'{"d":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert with_error(deep, "a", REPORT) == deep[:-1] + b',"errors":' + json.dumps({"a": REPORT}, separators=(",", ":")).encode() + b"}"


@pytest.mark.parametrize(("state", "start"), [(b' { "x": 1 }\n', b'"x": 1'), (b"{}", b"{")])
def test_a_state_too_large_to_parse_gets_the_error_at_its_end(monkeypatch: pytest.MonkeyPatch, state: bytes, start: bytes) -> None:
    monkeypatch.setattr(rescue, "LARGEST_PARSED_BYTES", 1)
    result = with_error(state, "a", REPORT)
    assert start in result
    assert json.loads(result)["errors"] == {"a": REPORT}


def test_a_large_state_that_is_no_object_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescue, "LARGEST_PARSED_BYTES", 1)
    assert merged(b"[1,2]") == {"errors": {"a": REPORT}}


@given(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3)))
def test_nothing_else_of_the_state_changes(state: dict[str, object]) -> None:
    result = merged(json.dumps(state).encode())
    assert isinstance(result, dict)
    assert {key: value for key, value in result.items() if key != "errors"} == {
        key: value for key, value in state.items() if key != "errors"
    }
