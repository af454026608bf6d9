"""How log lines read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.engines.run import LogLevel
from kivuko.runtime.logs import Component, LogRecord, SanitizePolicy, rendered, sanitized, text_line


def record(
    *message: object, level: LogLevel = "info", component: Component = "JOB", text: tuple[str | None, ...] | None = None
) -> LogRecord:
    return LogRecord(level, component, message, 0, text)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (("plain", 1), "plain 1"),
        ((True, 2.5), "true 2.5"),
        (({},), "{}"),
        (([],), "[]"),
        (({"a": [1]},), '{\n  "a": [\n    1\n  ]\n}'),
        (("é", {"k": "日本"}), 'é {\n  "k": "日本"\n}'),
        ((1e21,), "1e+21"),
        ((1e-7,), "1e-7"),
        ((1.5e-7,), "1.5e-7"),
        ((0.00001,), "0.00001"),
        ((0.0000123,), "0.0000123"),
        ((2.0,), "2"),
        (("a", None), "a null"),
        ((), ""),
    ],
)
def test_arguments_are_joined_as_a_console_joins_them(message: tuple[object, ...], text: str) -> None:
    assert rendered(record(*message)) == text


def test_null_alone_prints_nothing() -> None:
    assert rendered(record(None)) is None
    assert text_line(record(None)) is None


def test_undefined_prints_its_name() -> None:
    assert rendered(record(None, text=("undefined",))) == "undefined"


def test_the_readable_form_of_an_argument_wins() -> None:
    line = record("a", {"name": "Error", "message": "x"}, text=(None, "Error: x\n    at vm:module(0):1:1"))
    assert rendered(line) == "a Error: x\n    at vm:module(0):1:1"


@pytest.mark.parametrize(
    ("level", "icon"),
    [("debug", "❯"), ("info", "ℹ"), ("log", "ℹ"), ("success", "✔"), ("always", "♦"), ("warn", "⚠"), ("error", "✘")],
)
def test_a_line_begins_with_its_component_and_an_icon(level: LogLevel, icon: str) -> None:
    assert text_line(record("x", level=level, component="R/T")) == f"[R/T] {icon} x"


def test_printed_lines_and_those_of_adaptors_stand_alone() -> None:
    assert text_line(record("x", level="print")) == "x"
    assert text_line(record("x", component="ADA")) == "x"


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        ("none", '{\n  "b": 1,\n  "a": 2\n} [\n  1,\n  2\n] x'),
        ("remove", "null null x"),
        ("obfuscate", "[object] [array] x"),
        ("summarize", "(object with keys a, b) (array with 2 items) x"),
    ],
)
def test_policies_hide_objects_and_arrays_only(policy: SanitizePolicy, text: str) -> None:
    assert rendered(record({"b": 1, "a": 2}, [1, 2], "x"), policy) == text


def test_empty_values_are_summarized_as_empty() -> None:
    assert sanitized(record({}, []), "summarize") == ("(empty object)", "(empty array)")


def test_what_is_removed_and_stands_alone_prints_nothing() -> None:
    assert rendered(record({"a": 1}), "remove") is None


def test_a_hidden_object_does_not_show_its_readable_form() -> None:
    assert rendered(record({"a": 1}, text=('{ "a": 1 }',)), "obfuscate") == "[object]"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_their_value_when_they_are_written(number: float) -> None:
    text = rendered(record(number))
    assert text is not None
    assert float(text) == number
    assert "e-0" not in text
    assert json.loads(text) == number
