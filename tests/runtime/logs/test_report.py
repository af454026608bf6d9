"""Error reports in the log."""

from __future__ import annotations

import pytest

from kivuko.engines.run import RunError
from kivuko.runtime.logs import Journal, LogRecord, report_error, text_line

POSITION = {"line": 3, "column": 20}


def told(error: RunError, job_name: str = "Fetch") -> list[str]:
    records: list[LogRecord] = []
    report_error(Journal(records.append, lambda: 0), error, "a", job_name)
    assert all(record.component == "R/T" for record in records)
    return [text_line(record) or "" for record in records]


def test_a_failure_with_a_position_shows_the_place() -> None:
    error = RunError(
        "RuntimeError",
        "fail",
        "TypeError: x",
        report={"pos": POSITION},
        line=3,
        column=20,
        src="const g = s => s.a.b.c;",
        stack="TypeError: x\n    at vm:module(0):3:20",
    )
    assert told(error) == [
        "",
        "[R/T] ✘ TypeError: x\n    at vm:module(0):3:20",
        "[R/T] ✘ Error occurred at: Fetch",
        "[R/T] ✘ 3: const g = s => s.a.b.c;",
        "[R/T] ✘ " + " " * (3 + 19) + "^",
        "[R/T] ✘ Check state.errors.a for details",
    ]


def test_the_mark_stands_under_the_place_when_the_line_begins_with_tabs() -> None:
    error = RunError("RuntimeError", "fail", "m", report={"pos": POSITION}, line=3, column=3, src="\t\tnope()")
    assert "[R/T] ✘    \t\t^" in told(error)


def test_a_crash_says_that_the_execution_is_aborted() -> None:
    lines = told(RunError("ImportError", "crash", 'Failed to import module "x"', fix="Install it."))
    assert lines == ["", "[R/T] ✘ CRITICAL ERROR! Aborting execution", '[R/T] ✘ Failed to import module "x"', "[R/T] ✘ Install it."]


def test_a_failure_of_an_adaptor_names_its_operation_and_the_line() -> None:
    error = RunError("AdaptorError", "fail", "bad", operation="get", operation_line=3, stack="Error: bad", details={"code": 1})
    assert told(error) == [
        "",
        '[R/T] ✘ Error reported by "get()" operation line 3:',
        "[R/T] ✘ Error: bad",
        "[R/T] ✘ Additional error details:",
        '[R/T] ✘ {\n  "code": 1\n}',
        "[R/T] ✘ Check state.errors.a for details",
    ]


def test_an_operation_without_a_name_is_named_by_its_line() -> None:
    assert "[R/T] ✘ Error reported by operation line 2:" in told(RunError("AdaptorError", "fail", "bad", operation_line=2))


def test_a_plain_failure_shows_its_message_and_the_authors_line() -> None:
    assert told(RunError("JobError", "fail", "oops", line=1, column=2, src="throw")) == [
        "",
        "[R/T] ✘ oops",
        "[R/T] ✘ Error occurred at: Fetch",
        "[R/T] ✘ 1: throw",
        "[R/T] ✘     ^",
        "[R/T] ✘ Check state.errors.a for details",
    ]


def test_a_state_that_is_too_large_is_told_in_openfns_words() -> None:
    lines = told(RunError("StateTooLargeError", "kill", "State exceeds the limit of 1mb"))
    assert lines == ["", "[R/T] ✘ Critical error processing state: State exceeds the limit of 1mb"]


@pytest.mark.parametrize("details", [None, {}, [], ""])
def test_details_that_say_nothing_are_not_announced(details: object) -> None:
    lines = told(RunError("AdaptorError", "fail", "bad", operation="get", operation_line=1, details=details))
    assert lines == ["", '[R/T] ✘ Error reported by "get()" operation line 1:', "[R/T] ✘ bad", "[R/T] ✘ Check state.errors.a for details"]


@pytest.mark.parametrize(("thrown", "shown"), [({"code": 7}, '{\n  "code": 7\n}'), (0, "0"), (None, "A value without message was thrown")])
def test_a_thrown_value_without_message_is_shown_itself_and_once(thrown: object, shown: str) -> None:
    lines = told(RunError("JobError", "fail", "", details=thrown))
    assert lines == ["", f"[R/T] ✘ {shown}", "[R/T] ✘ Check state.errors.a for details"]


def test_a_thrown_value_without_message_stands_below_its_operation() -> None:
    lines = told(RunError("JobError", "fail", "", operation="fn", operation_line=2, details={"code": 7}))
    assert lines[1:3] == ['[R/T] ✘ Error reported by "fn()" operation line 2:', '[R/T] ✘ {\n  "code": 7\n}']
