"""The process's log."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from kivuko.server.logs import set_up_logs


def test_json_lines_have_time_level_logger_event_and_what_was_bound() -> None:
    stream = io.StringIO()
    set_up_logs("json", "info", stream)
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        structlog.get_logger("kivuko.x").warning("happened", attempt="a-1")
    line = json.loads(stream.getvalue())
    expected = {"event": "happened", "level": "warning", "logger": "kivuko.x", "attempt": "a-1", "request_id": "r-1"}
    assert {key: line[key] for key in expected} == expected
    assert line["timestamp"].endswith("Z")


def test_lines_of_libraries_come_out_alike() -> None:
    stream = io.StringIO()
    set_up_logs("json", "info", stream)
    logging.getLogger("django.server").warning("from %s", "elsewhere")
    assert json.loads(stream.getvalue())["event"] == "from elsewhere"


def test_an_exception_is_part_of_its_line() -> None:
    stream = io.StringIO()
    set_up_logs("json", "info", stream)
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger("kivuko.x").exception("failed")
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["exception"][0]["exc_value"] == "broken"


@pytest.mark.parametrize("form", ["json", "console"])
def test_what_variables_held_when_something_failed_is_in_no_line(form: str) -> None:
    stream = io.StringIO()
    set_up_logs(form, "debug", stream)
    held = "".join(["can", "ary"])

    def fail(body: bytes, token: str) -> None:
        credential = {"password": body}
        raise ValueError(len(credential))

    try:
        fail(f"{held}-body".encode(), f"{held}-token")
    except ValueError:
        structlog.get_logger("kivuko.x").exception("failed")
        logging.getLogger("django.request").exception("failed too")
    assert "ValueError" in stream.getvalue()
    assert held not in stream.getvalue()


@pytest.mark.parametrize(("level", "lines"), [("debug", 2), ("info", 1), ("warning", 0)])
def test_what_is_below_the_level_is_not_written(level: str, lines: int) -> None:
    stream = io.StringIO()
    set_up_logs("json", level, stream)
    structlog.get_logger("kivuko.x").debug("d")
    structlog.get_logger("kivuko.x").info("i")
    assert len(stream.getvalue().splitlines()) == lines


def test_for_eyes_a_line_is_text() -> None:
    stream = io.StringIO()
    set_up_logs("console", "info", stream)
    structlog.get_logger("kivuko.x").info("happened", attempt="a-1")
    assert "happened" in stream.getvalue()
    assert "attempt=a-1" in stream.getvalue()


def test_to_a_file_json_is_written_unless_told_otherwise() -> None:
    stream = io.StringIO()
    set_up_logs("", "info", stream)
    structlog.get_logger("kivuko.x").info("happened")
    assert json.loads(stream.getvalue())["event"] == "happened"


def test_what_any_stranger_can_cause_is_no_line() -> None:
    stream = io.StringIO()
    set_up_logs("json", "info", stream)
    logging.getLogger("django.security.DisallowedHost").error("Invalid HTTP_HOST header")
    assert stream.getvalue() == ""
