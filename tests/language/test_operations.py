"""Which statements are operations, and when they are made (jobs-and-runtime §1.6, §1.7)."""

from __future__ import annotations

from typing import Any

import pytest

from kivuko.language import Operation, compile_job

OP = "function op(n) { log('make ' + n); return s => { log('run ' + n); return s } }\n"

CALLS = [
    "fn()",
    "http.get()",
    "mk(1)(2)",
    "(x => x)(1)",
    "(function(){})()",
    "new Foo().bar()",
    "Promise.resolve(1)",
    "(fn)()",
    "((fn()))",
    "a[0]()",
    "(a?.b)()",
    "x.then(a)",
]
OTHERS = [
    "await fn()",
    "new X()",
    "!fn()",
    "void fn()",
    "fn(), g()",
    "a?.b()",
    "x?.()",
    "a?.b.c()",
    "fn`x`",
    "import('x')",
    "l: fn()",
    "{ fn() }",
    "if (a) fn()",
    "x = fn()",
    "const y = fn()",
    "fn().x",
    "a?.b().then(c)",
]


@pytest.mark.parametrize("source", CALLS)
def test_a_call_is_an_operation(source: str) -> None:
    assert len(compile_job(source).operations) == 1


@pytest.mark.parametrize("source", OTHERS)
def test_anything_else_stays_a_statement(source: str) -> None:
    assert compile_job(source).operations == ()


def test_operations_have_name_line_and_order() -> None:
    job = compile_job("// c\nfn();\n\nhttp\n  .get(); each(\n1)\n\r\n(\ndone())")

    assert job.operations == (Operation("fn", 2, 1), Operation(None, 4, 2), Operation(None, 5, 3))


def test_two_lines_that_javascript_reads_as_one_call_are_one_operation() -> None:
    assert [one.line for one in compile_job("fn(1)\n(get(2))\n[0](1)").operations] == [1]


def test_operations_are_made_after_the_module_and_run_in_order(node: Any) -> None:
    answer = node.run(f"op(later);\nvoid log('statement');\nop(2)\nconst later = 1\n{OP}void log('end')")

    assert answer["log"] == ["statement", "end", "loaded", "make 1", "make 2", "run 1", "run 2"]
    assert answer["kinds"] == ["function", "function"]


def test_a_default_array_at_the_end_comes_first(node: Any) -> None:
    answer = node.run(f"op(2);\n{OP}export default [op(1)]")

    assert answer["log"] == ["make 1", "loaded", "make 2", "run 1", "run 2"]


def test_the_portable_form_makes_and_runs_in_the_same_order(node: Any) -> None:
    answer = node.run_portable(f"op(3);\nvoid log('statement');\n{OP}op(4).then(s => s)\nexport default [op(1), op(2),]")

    assert answer["log"] == ["statement", "make 1", "make 2", "make 3", "make 4", "loaded", "run 1", "run 2", "run 3", "run 4"]


@pytest.mark.parametrize(
    "source", ["export default [op(1)];\nop(2)", "op(2);\nexport default s => s", "op(2);\nconst a = []; export { a as default }"]
)
def test_without_a_default_array_at_the_end_calls_are_plain_statements(node: Any, source: str) -> None:
    assert compile_job(source).operations == ()
    assert "make 2" in node.run(f"{OP.rstrip()}\n{source}")["log"][:2]


def test_an_empty_statement_behind_the_array_makes_it_not_the_last() -> None:
    assert compile_job("op(1);\nexport default [];;").operations == ()


def test_an_operation_that_awaits_is_made_by_an_async_thunk(node: Any) -> None:
    answer = node.run(f"op(await Promise.resolve(5));\nop(6);\n{OP}")

    assert [line for line in answer["log"] if line.startswith("run")] == ["run 5", "run 6"]


def test_await_inside_a_function_leaves_the_thunk_plain() -> None:
    assert "async()=>" not in compile_job("fn(async s => await s)").script


def test_top_level_await_runs_while_the_module_loads(node: Any) -> None:
    answer = node.run(f"const n = await Promise.resolve(7);\nfor await (const x of [1, 2]) void log(x);\nop(n);\n{OP}")

    assert answer["log"] == [1, 2, "loaded", "make 7", "run 7"]


def test_statements_without_semicolons_stay_apart(node: Any) -> None:
    answer = node.run(f"const a = 1\nop(a)\nconst b = 2\nop(b) // note\n/* c */ op(3)\n{OP}")

    assert answer["log"][1:4] == ["make 1", "make 2", "make 3"]


def test_the_body_is_strict_and_has_no_this(node: Any) -> None:
    assert node.run("void log(this === undefined)")["log"][0] is True
    assert "undeclared is not defined" in node.run("undeclared = 1")["error"]["message"]


def test_redeclared_adaptor_names_win(node: Any) -> None:
    from kivuko.language import AdaptorNames

    adaptor = AdaptorNames("A", ("op", "get"))
    answer = node.run(f"const get = 3;\nop(get);\n{OP}", adaptors=[adaptor], modules="{ A: { op: 1, get: 2 } }")

    assert "make 3" in answer["log"]
