"""What the log prints, for which level and component, and in which form."""

from __future__ import annotations

import io
import json

import pytest

from kivuko.cli.log import Level, Log
from kivuko.cli.log_option import parse_log_option
from kivuko.errors import OptionInvalid


def log_with(option: str | None, **more: bool) -> tuple[Log, io.StringIO]:
    stream = io.StringIO()
    return Log(parse_log_option(option), stream=stream, **more), stream


def test_a_line_names_its_component_and_level() -> None:
    log, stream = log_with(None)
    log.success("State written to output.json")
    log.always("Versions:")
    log.warn("careful")
    log.error("broken")
    log.info("not by default")
    assert stream.getvalue() == "[CLI] ✔ State written to output.json\n[CLI] ♦ Versions:\n[CLI] ⚠ careful\n[CLI] ✘ broken\n"


@pytest.mark.parametrize(
    ("option", "cli", "runtime", "compiler", "job"),
    [
        (None, "default", "default", "default", "debug"),
        ("info", "info", "info", "info", "debug"),
        ("none", "none", "none", "none", "none"),
        ("none,job=info", "none", "none", "none", "info"),
        ("default=none", "none", "none", "none", "none"),
        ("cli=none,rt=info", "none", "info", "default", "debug"),
        ("r/t=debug,cmp=info", "default", "debug", "info", "debug"),
        ("info,job=none", "info", "info", "info", "none"),
        ("INFO", "info", "info", "info", "debug"),
        ("debug,", "debug", "debug", "debug", "debug"),
    ],
)
def test_the_option_sets_components(option: str | None, cli: str, runtime: str, compiler: str, job: str) -> None:
    assert parse_log_option(option) == {"cli": cli, "runtime": runtime, "compiler": compiler, "job": job}


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("bogus", "Unknown log level. Valid levels are none, debug, info and default."),
        ("cli=loud", "Unknown log level. Valid levels are none, debug, info and default."),
        ("cli=", "Unknown log level. Valid levels are none, debug, info and default."),
        ("server=info", "Unknown log component. Valid components are cli, compiler, runtime and job."),
    ],
)
def test_unknown_words_are_refused(option: str, said: str) -> None:
    with pytest.raises(OptionInvalid) as problem:
        parse_log_option(option)
    assert problem.value.message == said
    assert problem.value.option == "log"


def test_none_still_prints_errors_and_nothing_else() -> None:
    log, stream = log_with("none")
    log.always("x")
    log.warn("x")
    log.line_break()
    log.write("info", "JOB", ("x",), "x")
    log.error("err!")
    assert stream.getvalue() == "[CLI] ✘ err!\n"


def test_jobs_always_show() -> None:
    log, stream = log_with("cli=none")
    log.write("debug", "JOB", ("hi",), "hi")
    assert stream.getvalue() == "[JOB] ❯ hi\n"


def test_json_lines_have_level_name_message_and_time() -> None:
    log, stream = log_with(None, as_json=True)
    log.write("info", "JOB", ("hey", {"a": 1}), "", time_ns=1_700_000_000_000_000_000)
    log.write("log", "JOB", ("l",), "", time_ns=1)
    assert stream.getvalue().splitlines() == [
        '{"level":"info","name":"JOB","message":["hey",{"a":1}],"time":"1700000000000000000"}',
        '{"level":"info","name":"JOB","message":["l"],"time":"1"}',
    ]


def test_printed_json_lines_have_no_level_and_breaks_are_not_printed() -> None:
    log, stream = log_with(None, as_json=True)
    log.line_break()
    log.write("print", "JOB", ("p",), "p", time_ns=1)
    assert json.loads(stream.getvalue()) == {"name": "JOB", "message": ["p"], "time": "1"}


def test_json_lines_of_nothing_are_skipped() -> None:
    log, stream = log_with(None, as_json=True)
    log.write("info", "JOB", (), "")
    log.write("info", "JOB", (None,), "")
    assert stream.getvalue() == ""


def test_printed_lines_and_lines_of_adaptors_have_no_prefix() -> None:
    log, stream = log_with(None)
    log.write("print", "JOB", ("bare",), "bare")
    log.write("info", "ADA", ("adaptor says",), "adaptor says")
    assert stream.getvalue() == "bare\nadaptor says\n"


@pytest.mark.parametrize("level", ["success", "error"])
def test_colours_only_where_they_are_asked_for(level: Level) -> None:
    plain, without = log_with(None)
    coloured, within = log_with(None, colour=True)
    plain.write(level, "CLI", ("x",), "x")
    coloured.write(level, "CLI", ("x",), "x")
    assert "\033" not in without.getvalue()
    assert "\033" in within.getvalue()


def test_a_log_tells_what_it_would_print() -> None:
    log, _ = log_with("rt=debug")
    assert log.prints("debug", "R/T")
    assert not log.prints("debug", "CLI")
