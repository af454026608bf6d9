"""Texts that are no jobs: what the compiler refuses itself, and what it leaves to V8 (engine.md §4.4)."""

from __future__ import annotations

from typing import Any

import pytest

from kivuko.errors import JobSyntaxError, SourceTooLarge
from kivuko.language import compile_job, compile_module, compile_portable, exported_names
from kivuko.language.source import MAX_NESTING, MAX_SOURCE_BYTES

WORDS = [
    ("fn(s => s);\nfn(s => { return ; } }", "Unexpected token (2:21)"),
    ("fn(\n", "Unexpected token (2:0)"),
    ("get(1))", "Unexpected token (1:6)"),
    ("fn(x)\n}\n", "Unexpected token (2:0)"),
    ("fn(`abc", "Unterminated template (1:4)"),
    ("fn(`a${ {} }` + `b", "Unterminated template (1:17)"),
    ("/* open", "Unterminated comment (1:0)"),
    ("fn('abc)", "Unterminated string constant (1:3)"),
    ("/re", "Unterminated regular expression (1:1)"),
    ("each(dataPath('x'), [\n  a(),\n  b()\n", "Unexpected token (4:0)"),
    ("fn(state => state))\nget()", "Unexpected token (1:18)"),
    ("fn(/[)]/, a / b / c, '}', `}`, x => /\\)/) }", "Unexpected token (1:42)"),
    ("'日本😀'; }", "Unexpected token (1:8)"),
    ("'a\u2028b'; }", "Unexpected token (2:4)"),
    ("a => {", "Unexpected token (1:6)"),
    ("export { a, ", "Unexpected token (1:12)"),
    ("...a", "Unexpected token (1:0)"),
    ("}).call(undefined)}); fn(); (async function(){", "Unexpected token (1:0)"),
]


@pytest.mark.parametrize(("source", "message"), WORDS)
def test_a_text_with_an_error_outside_of_statements_is_refused_in_acorn_s_words(source: str, message: str) -> None:
    for compiler in (compile_job, compile_module, compile_portable, exported_names):
        with pytest.raises(JobSyntaxError) as caught:
            compiler(source)

        assert caught.value.message == message
        assert f"({caught.value.line}:{caught.value.column})" in message


WRAPPING = [
    ("return 1", "'return' outside of function (1:0)"),
    ("if (a) {\n  return\n}", "'return' outside of function (2:2)"),
    ("fn(() => new.target)", "'new.target' can only be used in functions and class static block (1:9)"),
    ("new . target", "'new.target' can only be used in functions and class static block (1:0)"),
    ("<!-- a\nfn()", "Unexpected token (1:0)"),
    ("x\n--> y", "Unexpected token (2:2)"),
    ("fn(s => {\n--> y\n})", "Unexpected token (2:2)"),
]


@pytest.mark.parametrize(("source", "message"), WRAPPING)
def test_what_only_the_wrapper_would_make_valid_is_refused(source: str, message: str) -> None:
    with pytest.raises(JobSyntaxError) as caught:
        compile_job(source)

    assert caught.value.message == message


ALLOWED = [
    "fn(() => { return 1 }); function f() { return }",
    "function F() { return () => new.target }",
    "class A { x = new.target; static { new.target; } m() { return new.target } }",
    "'<!-- a'; `-->`; /-->/; // <!--",
    "fn(s => s.x--> 0)",
]


@pytest.mark.parametrize("source", ALLOWED)
def test_the_same_words_elsewhere_are_fine(node: Any, source: str) -> None:
    assert node.refusal(compile_job(source)) is None


def test_a_comparison_that_a_script_reads_as_a_comment_stays_one(node: Any) -> None:
    answer = node.run("let b = 3;\nvoid log(2<!--b)\nvoid log(b)")

    assert answer["log"][:2] == [False, 2]


LEFT_TO_V8 = [
    "let a; let a",
    "const x;",
    "break",
    "with (a) {}",
    "var a = 010",
    "delete x",
    "await = 1",
    "fn(s => { await s })",
    "fn(a b)",
    "const a = {b: 1,, c}",
    "fn('abc\n')",
    "@dec class X {}",
    "const x: number = 1;",
    "x = <div>a</div>",
    "if (a {\n fn()\n}",
    "{ export const a = 1 }",
    "{ import 's' }",
    "fn(s => s.data.)",
    "super()",
]


@pytest.mark.parametrize("source", LEFT_TO_V8)
def test_v8_refuses_the_script_of_what_the_parser_cannot_judge(node: Any, source: str) -> None:
    assert node.refusal(compile_job(source)) is not None


@pytest.mark.parametrize("source", ["fn(String.raw`C:\\users`)\nget()", "const a = tag`\\unicode`;"])
def test_a_valid_program_that_the_parser_cannot_read_is_doubtful_but_accepted(node: Any, source: str) -> None:
    job = compile_job(source)

    assert job.doubtful
    assert job.body is not None
    assert job.body in job.script
    assert node.refusal(job) is None


def test_a_clear_program_has_no_doubts() -> None:
    job = compile_job("fn()")

    assert not job.doubtful
    assert job.body is None


ESCAPES = [
    "fn(a b, })})(); evil(); (async function(){ (async function(){ ({ x",
    "x = [String.raw`\\u`, })}; (async function(){{ [",
    "fn(}); evil(); fn({)",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_brackets_cannot_leave_the_wrapper(node: Any, source: str) -> None:
    try:
        job = compile_job(source)
    except JobSyntaxError:
        return

    assert job.doubtful
    assert node.refusal(job) is not None


@pytest.mark.parametrize(
    ("source", "expression"),
    [
        ("const a = 1_000;", "a"),
        ("const a = Number(10n);", "a"),
        ("class A { #x = 1; static y = 2; static { A.z = 3 } get x() { return this.#x } }; const a = new A().x + A.y + A.z", "a"),
        ("const a = /[\\p{L}--[a-z]]/v.test('A')", "a"),
        ("const a = '\u2028\u2029'.length", "a"),
        ("let a; a ??= 1; a ||= 2; a &&= 3; a **= 2", "a"),
        ("async function* g() { yield 1 }; let a; for await (a of g()) {}", "a"),
        ("const a = [1, 2].findLast(x => x > 1)", "a"),
        ("let a = 0; { using r = { [Symbol.dispose]() { a = 1 } }; }", "a"),
        ("#!/usr/bin/env node\nconst a = 1", "a"),
        ("\ufeffconst a = 1", "a"),
        ("\ufeff\r\n\tconst a = 1\r\n", "a"),
        ("const \\u0061 = 1", "a"),
        ("let a; try { throw 1 } catch { a = 1 }", "a"),
        ("const a = `x${`y${1}`}`.length", "a"),
        ("const { a = 1, ...rest } = {}", "a"),
        ("const a = x?.y?.[0]?.(1) ?? 4; var x", "a"),
    ],
)
def test_modern_syntax_works(node: Any, source: str, expression: str) -> None:
    answer = node.run(f"{source}\nvoid log(typeof {expression})")

    assert answer["log"][0] in ("number", "boolean")


def test_a_text_above_8_mb_is_refused() -> None:
    with pytest.raises(SourceTooLarge, match="at most 8 MB"):
        compile_job("x" * (MAX_SOURCE_BYTES + 1))


@pytest.mark.parametrize("opening", ["[", "(", "fn(", "{a:", "`${", "x=>{"])
def test_brackets_nested_too_deeply_are_refused(opening: str) -> None:
    closing = {"[": "]", "(": ")", "fn(": ")", "{a:": "}", "`${": "}`", "x=>{": "}"}[opening]
    levels = MAX_NESTING + 10

    with pytest.raises(SourceTooLarge):
        compile_job("x = " + opening * levels + "1" + closing * levels)


@pytest.mark.parametrize("source", ["[" * 50_000, "fn(" * 50_000, "`${" * 20_000, "{" * 50_000])
def test_very_many_brackets_without_a_partner_are_a_syntax_error(source: str) -> None:
    with pytest.raises(JobSyntaxError):
        compile_job(source)


def test_brackets_in_texts_are_not_nested() -> None:
    assert compile_job(f"fn('{'(' * 5000}')").operations


def test_deep_trees_without_brackets_compile_without_recursion() -> None:
    levels = 20_000

    assert compile_job("fn($.a" + " + $.a" * levels + ")").operations
    assert compile_job("fn()" + ".then(a)" * levels).operations
    assert compile_job("x = " + "!" * levels + "$y").operations == ()
    assert len(compile_portable("fn()" + ".catch(a).x()" * 500).operations) == 1


def test_halves_of_surrogate_pairs_become_replacement_characters() -> None:
    job = compile_job("fn('\ud800', '\ud83d\ude00')")

    assert job.source == "fn('\ufffd', '😀')"
    assert "\ufffd" in job.script
