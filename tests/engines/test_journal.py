"""Log lines of jobs: levels, values, masking (jobs-and-runtime §2.12)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from kivuko.engines import Limits, LogLine

from .conftest import Bench


def logged(bench: Bench, *values: str) -> LogLine:
    bench.run(f"s => {{ console.log({', '.join(values)}); return s }}")
    (line,) = bench.lines
    return line


@pytest.mark.parametrize("level", ["debug", "info", "success", "always", "warn", "error", "print"])
def test_each_method_of_the_console_has_its_level(bench: Bench, level: str) -> None:
    bench.run(f"s => {{ console.{level}('x'); return s }}")
    assert bench.log == [(level, "JOB", ("x",))]


def test_log_is_info_and_break_prints_nothing(bench: Bench) -> None:
    bench.run("s => { console.log('x'); console.break(); return s }")
    assert bench.log == [("info", "JOB", ("x",)), ("print", "JOB", ())]


@pytest.mark.parametrize("method", ["table", "dir", "trace", "time", "group", "assert", "count"])
def test_methods_that_a_job_console_lacks_fail_the_job(bench: Bench, method: str) -> None:
    error = bench.run(f"s => {{ console.{method}(1); return s }}").error
    assert error is not None
    assert error.message == f"TypeError: console.{method} is not a function"


@pytest.mark.parametrize(
    ("value", "json_value", "text"),
    [
        ("'a b'", "a b", None),
        ("1.5", 1.5, None),
        ("true", True, None),
        ("null", None, None),
        ("undefined", None, "undefined"),
        ("NaN", None, "NaN"),
        ("-Infinity", None, "-Infinity"),
        ("10n", "10", None),
        ("Symbol('s')", "Symbol(s)", None),
        ("function f() {}", "[Function: f]", None),
        ("(() => 1)", "[Function: (anonymous)]", None),
        ("class A {}", "[class A]", None),
        ("[1, { a: 2 }]", [1, {"a": 2}], None),
        ("new Map([[1, 2]])", {}, None),
        ("/x/", {}, None),
        ("new Date(0)", "1970-01-01T00:00:00.000Z", '"1970-01-01T00:00:00.000Z"'),
        ("(() => { const a = {}; a.a = a; return a })()", {"a": "[Circular]"}, None),
        (
            "(() => { let d = {}; for (let i = 0; i < 1500; i++) d = { d }; return d })()",
            "[nested more than 200 levels deep: not printed]",
            None,
        ),
        ("{ get x() { throw new Error('no') } }", "[unprintable: no]", None),
    ],
)
def test_values_are_logged_for_machines_and_for_people(bench: Bench, value: str, json_value: Any, text: str | None) -> None:
    line = logged(bench, value)
    assert line.message == (json_value,)
    assert line.text == (None if text is None else (text,))


def test_an_error_is_logged_with_its_stack_in_the_authors_lines(bench: Bench) -> None:
    line = logged(bench, "new RangeError('logged')")
    assert line.message == ({"name": "RangeError", "message": "logged"},)
    assert line.text is not None
    assert str(line.text[0]).startswith("RangeError: logged\n    at vm:module(0):1:")


def test_values_under_configuration_are_hidden(bench: Bench) -> None:
    line = logged(bench, "{ configuration: { token: 'SECRET', n: { deep: 'SECRET' } }, other: 1 }", "{ configuration: ['SECRET'] }")
    assert line.message == ({"configuration": {"token": "****", "n": "****"}, "other": 1}, {"configuration": {"0": "****"}})


def test_an_array_is_not_looked_into(bench: Bench) -> None:
    assert logged(bench, "[{ configuration: { p: 'seen' } }]").message == ([{"configuration": {"p": "seen"}}],)


def test_times_are_nanoseconds_since_the_epoch_and_never_go_back(bench: Bench) -> None:
    bench.run("s => { for (let i = 0; i < 50; i++) console.log(i); return s }")
    times = [line.time_ns for line in bench.lines]
    assert times == sorted(times)
    assert abs(times[0] - time.time_ns()) < 60_000_000_000


def test_the_console_is_frozen(bench: Bench) -> None:
    error = bench.run("s => { console.x = 1; return s }").error
    assert error is not None
    assert error.message == "TypeError: Cannot add property x, object is not extensible"


def test_nobody_can_be_asked(bench: Bench) -> None:
    assert bench.run("async s => { await console.confirm('sure?'); return s }").error is not None


def test_lines_beyond_the_volume_limit_are_counted_after_one_warning(bench: Bench) -> None:
    result = bench.run("s => { for (let i = 0; i < 100; i++) console.log('x'.repeat(100)); return s }", limits=Limits(log_bytes=2000))
    assert result.error is None
    assert bench.lines[-1].level == "warn"
    assert "longer than 2000 bytes" in str(bench.lines[-1].message[0])
    assert result.logs_dropped == 100 - (len(bench.lines) - 1)


def test_debug_lines_of_the_runtime_come_only_when_asked_for(bench: Bench) -> None:
    bench.run("s => s")
    assert bench.log == []
    bench.run("s => s", debug=True)
    texts = [str(message[0]) for _, _, message in bench.log]
    assert texts[:2] == ["Executing expression (1 operations)", "Starting operation 1"]
    assert texts[2].startswith("Operation 1 complete in ")
    assert texts[-1] == "Expression complete!"


def test_many_lines_arrive_in_order(bench: Bench) -> None:
    bench.run("s => { for (let i = 0; i < 20000; i++) console.log(i); return s }")
    assert [line.message[0] for line in bench.lines] == list(range(20000))


def test_what_the_main_realm_prints_is_a_line_of_an_adaptor(bench: Bench) -> None:
    bench.run("s => { console.log.constructor('console.log(\"hello %s\", 1, {a:1})')(); return s }")
    assert bench.log == [("info", "ADA", ("hello 1 { a: 1 }",))]
