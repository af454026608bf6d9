"""A workflow that was compiled elsewhere fails at the places of its author's text."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from kivuko.engines import Engine, RunError, RunResult
from kivuko.language import compile_portable
from kivuko.language.sourcemap import Segment, read_mappings
from kivuko.runtime import AttemptResult, Outside, execute, prepare
from kivuko.runtime.compiled_elsewhere import in_source
from kivuko.runtime.logs import LogRecord, text_line
from kivuko.workflow import Job, read_plan

SOURCE = """// A comment that goes,
// and another
const fn = f => s => f(s);
const die = message => s => { throw Object.assign(new Error(message), { source: 'adaptor' }); };
fn(s => s);
{place}
"""
PLACES = ["fn(s => {\n  return s.x.y;\n});", "fn(s => nope);", "die('refused');", "fn(s => { throw new Error('😀 ' + s.a.b); });"]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as started:
        yield started


def outcome(engine: Engine, expression: str, source_map: object = None) -> tuple[AttemptResult, list[str]]:
    lines: list[str] = []

    def hear(record: LogRecord) -> None:
        lines.append(text_line(record) or "")

    plan = read_plan({"steps": [{"id": "a", "expression": expression, "sourceMap": source_map}]})
    program = prepare(plan, lambda text: pytest.fail(text), engine=engine, on_log=hear)
    return execute(program, b"{}", engine, outside=Outside(on_log=hear)), [line for line in lines if "ms)" not in line]


@pytest.mark.parametrize("place", PLACES)
def test_an_error_is_told_where_the_author_wrote_it(engine: Engine, place: str) -> None:
    source = SOURCE.replace("{place}", place)
    module = compile_portable(source, name="a")
    assert module.code.count("\n") != source.count("\n")
    written, told = outcome(engine, source)
    moved, heard = outcome(engine, module.code, dict(module.source_map))
    assert heard == told
    assert moved.runs[0].error == written.runs[0].error
    assert json.loads(moved.state or b"null") == json.loads(written.state or b"null")


@pytest.mark.parametrize(
    "source_map", [{}, {"mappings": "!"}, {"mappings": "g"}, {"mappings": 5}, "text", {"mappings": "D"}, {"mappings": "AADA"}]
)
def test_a_map_that_cannot_be_read_changes_nothing(source_map: object) -> None:
    result = RunResult(b"{}", RunError("RuntimeError", "fail", "m", {"pos": {"line": 2, "column": 1}}, line=2, column=1))
    assert in_source(result, Job("a", "x", source_map=source_map), lambda error: error) is result


def test_a_place_that_the_map_does_not_know_is_told_as_unknown() -> None:
    error = RunError("RuntimeError", "fail", "m", {"pos": {"line": 9, "column": 1, "src": "x"}}, line=9, column=1, src="x")
    found = in_source(RunResult(b"{}", error), Job("a", "x", source_map={"mappings": "AAAA"}), lambda error: error)
    assert found.error is not None
    assert (found.error.line, found.error.src) == (None, None)
    assert json.loads(found.state or b"") == {"errors": {"a": {"pos": {"line": None, "column": None}}}}


def test_secrets_of_the_authors_line_are_taken_out() -> None:
    error = RunError("RuntimeError", "fail", "m", {"pos": {"line": 1, "column": 1}}, line=1, column=1)
    job = Job("a", "x", source_map={"mappings": "AAAA", "sourcesContent": ["secret()"]})
    seen: list[str | None] = []
    in_source(RunResult(b"{}", error), job, lambda error: seen.append(error.src) or error)
    assert seen == ["secret()"]


def test_mappings_are_read_as_their_standard_says() -> None:
    lines = read_mappings("AAAA,gBACC;;EAEDA,E")
    assert lines == ((Segment(0, 0, 0, 0), Segment(16, 0, 1, 1)), (), (Segment(2, 0, 3, 0),))


def test_mappings_are_read_as_they_are_written() -> None:
    source = SOURCE.replace("{place}", PLACES[0])
    module = compile_portable(source)
    lines, code = read_mappings(str(module.source_map["mappings"])), module.code.split("\n")
    pairs = [
        (code[number][one.column], source.split("\n")[one.line][one.source_column]) for number, line in enumerate(lines) for one in line
    ]
    assert len(pairs) > 50
    assert all(compiled == written for compiled, written in pairs)
