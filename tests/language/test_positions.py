"""Lines never move, and columns of the script map back to the author's (engine.md §4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from kivuko.language import AdaptorNames, compile_job
from kivuko.language.edits import Edit, insertions_of
from kivuko.language.source import SourceText


def author_column(insertions: Sequence[tuple[int, int, int]], line: int, column: int) -> int:
    """The 0-based column of the author's line for one of the script's line, as the host computes it."""
    shift = 0
    for where, start, length in insertions:
        if where == line and column >= start + length:
            shift += length
        elif where == line and column > start:
            return start - shift
    return column - shift


THROWS = [
    "fn(s => boom(s));",
    "  fn(1, s =>\n\t boom(s))",
    "fn(s => 1); fn(s => boom(s))",
    "get($.a, [$.b, boom()])",
    "get({ a: $.a, b: boom($.c) })",
    "fn(2).then(s => boom(s)).then(x)",
    "fn(2).catch(x).then(s => boom(s))",
    "(fn(2)\n  .catch(x)).then(s => boom(s)); fn(3)",
    "fn('日本😀', $.a).then(s => boom())",
    "export const z = boom()",
    "export default [boom()]",
    "import a from 'm'; void boom(a)",
    "import.meta.x + boom()",
    "'\u2028'; const q = boom()",
    "const a = 1\r\nconst b = boom()",
    "#!/bin/x\n\nboom()",
    "void (1<!--y, boom()); var y",
]
TOOLS = """
function fn(...f) { return async s => (f.at(-1).call ? f.at(-1)(s) : s) }
function get(...f) { return s => f.map(g => g(s)) }
function x(s) { return s }
"""


@pytest.mark.parametrize("source", THROWS)
def test_the_place_that_v8_reports_is_the_author_s(node: Any, source: str) -> None:
    job = compile_job(source + TOOLS)
    error = node.execute(job, modules="{ m: {} }")["error"]

    expected = SourceText(source).position(source.encode().index(b"boom"))
    assert error["message"] == "boom"
    assert (error["line"], author_column(job.insertions, error["line"], error["column"] - 1)) == expected


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\u2029"])
def test_every_kind_of_line_end_is_kept(end: str) -> None:
    source = end.join(["import { a } from 'x'", "fn($.a)", "\t// c", "get(1)", "  .catch(b)", "  .then(c)", "export const z = 1", ""])
    script = compile_job(source).script

    assert script.split("\n", 1)[1].count(end) >= source.count(end)
    assert [line.strip() for line in script.split("\n", 1)[1].split(end)][2] == "// c"


def test_the_head_is_one_line() -> None:
    job = compile_job("import { a } from 'x'\nfn($.a).catch(b)", [AdaptorNames("X", ("fn", "b"))])

    assert job.script.split("\n")[0].endswith("const {a}=__kM['x'];")
    assert job.script.split("\n")[1].startswith(";")


def test_names_of_the_script_are_free_of_collision() -> None:
    assert "(async function(__k2M,__k2X,__k2O,__k2D){" in compile_job("const __kM = 1").script
    assert "(async function(__k3M," in compile_job("__kx(__k2x)").script


def test_insertions_are_in_utf_16_units_of_the_script_s_line() -> None:
    assert compile_job("fn('😀', $.a);\nget($.b)").insertions == (
        (1, 0, 16),
        (1, 25, 9),
        (1, 35, 4),
        (1, 42, 3),
        (2, 0, 16),
        (2, 20, 9),
        (2, 30, 4),
        (2, 37, 3),
    )


def test_an_edit_that_does_not_widen_its_line_is_no_insertion() -> None:
    source = SourceText("abc\ndef")

    assert insertions_of(source, [Edit(0, 1, ("x",)), Edit(4, 5, ("yyy",))]) == ((2, 1, 2),)
