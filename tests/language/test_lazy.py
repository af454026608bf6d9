"""`$` stands for the state of the moment (jobs-and-runtime §1.4)."""

from __future__ import annotations

from typing import Any

import pytest

from kivuko.errors import LazyStateError
from kivuko.language import AdaptorNames, compile_job, compile_portable


def default_of(source: str) -> str:
    """The portable form without `export default [` and `];`."""
    code = compile_portable(source).code
    assert code.startswith("export default [")
    return code.removeprefix("export default [").removesuffix("];").strip()


ARGUMENTS = [
    ("get($.a, $.b, 3)", "get(state => state.a, state => state.b, 3)"),
    (
        "create('x', {a: $.a, b: {c: [$.b]}, ...$.r, [$.k]: 1})",
        "create('x', state => ({a: state.a, b: {c: [state.b]}, ...state.r, [state.k]: 1}))",
    ),
    ("get(`x ${$.a} ${$.b}`)", "get(state => `x ${state.a} ${state.b}`)"),
    ("get($.a + ' ' + $.b)", "get(state => state.a + ' ' + state.b)"),
    ("get($.a ? $.b : 1)", "get(state => state.a ? state.b : 1)"),
    ("get(typeof $.a)", "get(state => typeof state.a)"),
    ("get(new Date($.a))", "get(state => new Date(state.a))"),
    ("get($.x = 1)", "get(state => state.x = 1)"),
    ("get(table[$.k])", "get(state => table[state.k])"),
    ("get($?.a?.b)", "get(state => state?.a?.b)"),
    ("get(($).a)", "get(state => (state).a)"),
    ("get(({a: $.x}))", "get(state => ({a: state.x}))"),
    ("get({a: $.x}.a)", "get(state => ({a: state.x}.a))"),
    ("get(($.a, 1))", "get(state => (state.a, 1))"),
    ("get([$.a, [$.b]])", "get(state => [state.a, [state.b]])"),
    ("get(import($.x))", "get(state => import(state.x))"),
    ("get(tag`${$.x}`)", "get(state => tag`${state.x}`)"),
    ("get(f(1)(2)[$.x])", "get(state => f(1)(2)[state.x])"),
    ("get(/* why */ $.a /* so */)", "get(/* why */ state => state.a /* so */)"),
]


@pytest.mark.parametrize(("source", "expected"), ARGUMENTS)
def test_an_argument_becomes_one_arrow(source: str, expected: str) -> None:
    assert default_of(source) == expected


NEAREST_CALL = [
    ("each($.items, post(`a${$.data.id}`, $.data))", "each(state => state.items, post(state => `a${state.data.id}`, state => state.data))"),
    ("get(JSON.stringify($.a))", "get(JSON.stringify(state => state.a))"),
    ("get({x: f($.y)})", "get({x: f(state => state.y)})"),
    ("get($.y)($.z)", "get(state => state.y)(state => state.z)"),
    ("fn(state => { get($.x); })", "fn(state => { get(state => state.x); })"),
]


@pytest.mark.parametrize(("source", "expected"), NEAREST_CALL)
def test_the_nearest_call_receives_the_arrow(source: str, expected: str) -> None:
    assert default_of(source) == expected


INSIDE_ARROWS = [
    ("fn(state => $.x)", "fn(state => state.x)"),
    ("fn((state) => $.x)", "fn((state) => state.x)"),
    ("fn((state => $.x))", "fn((state => state.x))"),
    ("fn(async state => await $.x)", "fn(async state => await state.x)"),
    ("fn(state => $.f())", "fn(state => state.f())"),
    ("fn(state => state.f($.x))", "fn(state => state.f(state.x))"),
    ("get({ f: state => $.y })", "get(state => ({ f: state => state.y }))"),
]


@pytest.mark.parametrize(("source", "expected"), INSIDE_ARROWS)
def test_inside_an_arrow_of_state_no_arrow_is_added(source: str, expected: str) -> None:
    assert default_of(source) == expected


METHODS = [
    ("get($.a.b())", "get(state => state.a.b())"),
    ("get($.list.map(f))", "get(state => state.list.map(f))"),
    ("get($.a().b)", "get(state => state.a().b)"),
    ("get($.a?.())", "get(state => state.a?.())"),
    ("get(new Date($.a).toISOString())", "get(state => new Date(state.a).toISOString())"),
    ("get({x: $.list.map(f).join(',')})", "get(state => ({x: state.list.map(f).join(',')}))"),
    ("fn($.greet($.name))", "fn(state => state.greet(state.name))"),
    ("get($.list.includes($.x))", "get(state => state.list.includes(state.x))"),
    ("get($.list.concat(f($.x)))", "get(state => state.list.concat(f(state => state.x)))"),
    ("get(($.a.b)())", "get(state => (state.a.b)())"),
]


@pytest.mark.parametrize(("source", "expected"), METHODS)
def test_a_method_call_wraps_the_whole_argument(source: str, expected: str) -> None:
    assert default_of(source) == expected


UNTOUCHED = [
    "get($)",
    "get(a.$, {$: 1}, '$.x', `$.x`, /$.x/)",
    "fn($ => get($.x))",
    "fn(({ $ }) => $.x)",
    "fn(([$]) => $.x)",
    "fn(({ a: { $ = 1 } }) => $.x)",
    "fn((...$) => $.x)",
    "fn(function $() { return $.x })",
    "fn(s => { { let $ = 1; } return $.x })",
    "fn(s => { return $.x; var $ })",
    "fn(s => { class $ {} return $.x })",
    "fn(s => { try {} catch ($) { get($.x) } return s })",
]


@pytest.mark.parametrize("source", UNTOUCHED)
def test_a_bare_or_declared_dollar_is_left_alone(source: str) -> None:
    assert default_of(source) == source


def test_a_catch_clause_protects_only_itself() -> None:
    source = "fn(state => { try {} catch ($) {} get($.x) })"

    assert default_of(source) == "fn(state => { try {} catch ($) {} get(state => state.x) })"


@pytest.mark.parametrize("declaration", ["const $ = {}", "import $ from 'jquery'", "{ let $ = 1 }", "function $() {}"])
def test_a_declaration_at_top_level_does_not_protect(declaration: str) -> None:
    assert "get(state => state.x)" in compile_portable(f"{declaration}\nget($.x)").code


@pytest.mark.parametrize("keyword", ["const", "let", "var"])
def test_a_plain_object_at_top_level_is_left_alone(keyword: str) -> None:
    for value in ("{ a: { b: $.x } }", "({ a: $.x })"):
        source = f"{keyword} x = {value};"

        assert compile_portable(source).code == f"{source}\nexport default [];"


def test_dollar_method_calls_at_top_level_become_arrows_and_no_operations() -> None:
    job = compile_portable("$.x();\n$.x.y($.z);\nconst f = $.g();")

    assert job.code == "state => state.x();\nstate => state.x.y(state.z);\nconst f = state => state.g();\nexport default [];"
    assert job.operations == ()


MISPLACED = [
    ("$.x", 1, 0),
    ("const x = $.y", 1, 10),
    ("\n  x = $.y.z[0]", 2, 6),
    ("if ($.x) fn()", 1, 4),
    ("[ $.x ]", 1, 2),
    ("export const x = { a: $.x }", 1, 22),
    ("fn(function (state) { return $.x })", 1, 29),
    ("fn(state => { const a = $.x; return a })", 1, 24),
    ("'日本😀'; y = $.x", 1, 12),
]


@pytest.mark.parametrize(("source", "line", "column"), MISPLACED)
def test_a_dollar_outside_of_arguments_is_an_error_with_its_place(source: str, line: int, column: int) -> None:
    with pytest.raises(LazyStateError) as caught:
        compile_job(source)

    assert caught.value.message == f"Lazy State Error: Must be inside an operation ({line}:{column})"
    assert (caught.value.line, caught.value.column) == (line, column)
    assert "arguments of an operation" in caught.value.details


ARROWS = [
    ("fn(s => $.x)", 'parameter "s" should be called "state" (1:3)'),
    ("get(1,\n  ({ data }) => $.x)", 'parameter "{ data }" should be called "state" (2:2)'),
    ("fn(() => $.x)", "parent has wrong arity (1:3)"),
    ("fn((state, b) => $.x)", "parent has wrong arity (1:3)"),
    ("get(...$.args)", "$ cannot be spread into the arguments of an operation (1:4)"),
]


@pytest.mark.parametrize(("source", "words"), ARROWS)
def test_an_arrow_that_cannot_give_the_state_is_an_error(source: str, words: str) -> None:
    with pytest.raises(LazyStateError) as caught:
        compile_job(source)

    assert caught.value.message == f"Lazy State Error: {words}"


def test_a_free_state_in_the_same_argument_is_the_arrow_s_own() -> None:
    adaptor = AdaptorNames("X", ("get", "state"))

    assert compile_job("get($.a + state.b)", [adaptor]).used == {"X": ("get",)}
    assert compile_job("get($.a, state.b)", [adaptor]).used == {"X": ("get", "state")}


def test_the_arrows_read_the_state_when_the_operation_runs(node: Any) -> None:
    source = (
        "fn(s => ({ ...s, list: [1, 2], name: ' x ' }));\n"
        "set($.list.map(n => n + 1), { name: $.name.trim(), two: [$.list[1]] });\n"
        "function fn(f) { return s => f(s) }\n"
        "function set(a, b) { return s => ({ a: a(s), ...b(s) }) }"
    )

    assert node.run(source)["result"] == {"a": [2, 3], "name": "x", "two": [2]}
    assert node.run_portable(source)["result"] == {"a": [2, 3], "name": "x", "two": [2]}
