"""`.then`, `.catch` and `.finally` on operations (jobs-and-runtime §1.5)."""

from __future__ import annotations

from typing import Any

import pytest

from kivuko.language import compile_job, compile_portable

HELPER = 'import { defer as _defer } from "@openfn/runtime";\n'
TOOLS = """
function fn(f) { return s => f(s) }
function add(word) { return s => ({ ...s, words: [...(s.words ?? []), word] }) }
function fail(word) { return async () => { throw new Error(word) } }
function failAtOnce(word) { return () => { throw new Error(word) } }
function each(...operations) { return async s => { for (const one of operations) s = await one(s); return s } }
"""


def default_of(source: str) -> str:
    code = compile_portable(source).code
    assert code.startswith(HELPER + "export default [")
    return code.removeprefix(HELPER + "export default [").removesuffix("];").strip()


SHAPES = [
    ("fn(x).then(a)", "_defer(fn(x), p => p.then(a))"),
    ("fn(x).then(a, b)", "_defer(fn(x), p => p.then(a, b))"),
    ("fn(x).catch(a)", "_defer(fn(x), undefined, a)"),
    ("fn(x).catch(a, b)", "_defer(fn(x), undefined, a)"),
    ("fn(x).catch()", "_defer(fn(x))"),
    ("fn(x).catch().then(b)", "_defer(fn(x), p => p.then(b))"),
    ("fn(x).catch(a).then(b).catch(c).finally(d)", "_defer(fn(x), p => p.then(b).catch(c).finally(d), a)"),
    ("fn(x).finally(a)", "_defer(fn(x), p => p.finally(a))"),
    ("fn(x).finally(a).catch(b)", "_defer(fn(x), p => p.finally(a).catch(b))"),
    ("fn(x)?.then(a)[0](1)", None),
    ("fn(x)['then'](a)", "_defer(fn(x), p => p['then'](a))"),
    ('fn(x)["catch"](a).then(b)', "_defer(fn(x), p => p.then(b), a)"),
    ("fn(x)(y).then(a)", "_defer(fn(x)(y), p => p.then(a))"),
    ("new Promise(f).then(a)", "_defer(new Promise(f), p => p.then(a))"),
    ("(fn(x)).then(a)", "_defer((fn(x)), p => p.then(a))"),
    ("(fn(x).then(a)).catch(b)", "_defer(fn(x), p => p.then(a).catch(b))"),
    ("((fn(x).catch(a))).then(b)", "_defer(fn(x), p => p.then(b), a)"),
    ("fn(x).then(a).foo().then(b)", "_defer(fn(x).then(a).foo(), p => p.then(b))"),
    ("each(get(1).then(a)).then(b)", "_defer(each(_defer(get(1), p => p.then(a))), p => p.then(b))"),
    ("get(1).then(get(2).catch(a))", "_defer(get(1), p => p.then(_defer(get(2), undefined, a)))"),
    (
        "get(1).catch(get(2).catch(get(3).catch(a)).then(b))",
        "_defer(get(1), undefined, _defer(get(2), p => p.then(b), _defer(get(3), undefined, a)))",
    ),
    ("fn(get(y).then(a))", "fn(_defer(get(y), p => p.then(a)))"),
    ("fn({ a: [get(y).then(a)] })", "fn({ a: [_defer(get(y), p => p.then(a))] })"),
    ("get($.a).then(fn($.b))", "_defer(get(state => state.a), p => p.then(fn(state => state.b)))"),
]


@pytest.mark.parametrize(("source", "expected"), [shape for shape in SHAPES if shape[1] is not None])
def test_a_chain_is_deferred_until_the_operation_runs(source: str, expected: str) -> None:
    assert default_of(source) == expected


@pytest.mark.parametrize("source", [shape[0] for shape in SHAPES])
def test_v8_accepts_both_forms(node: Any, source: str) -> None:
    assert node.refusal(compile_job(source)) is None
    module = node.run_portable(source.replace(source, f"export const never = () => {{ {source} }}"))
    assert "error" not in module


UNCHANGED = [
    "fn(s => { return get(y).then(a) })",
    "fn(s => get(y).then(a))",
    "class A { m() { return fn().then(a) } }",
    "class A { x = fn().then(a) }",
    "{ fn().then(a) }",
    "const o = { a: get(y).then(a) };",
    "x.then(a)",
    "x.y.then(a)",
    "(async () => {})().then(a)",
    "(function () {})().then(a)",
    "import('x').then(a)",
    "fn`x`.then(a)",
    "(await x).then(a)",
    "then(x)",
    "a.then",
    "a.then`x`",
    "({ then() {}, catch: 1 })",
    "get({ a: $.x, b: op().then(z) })",
]


@pytest.mark.parametrize("source", UNCHANGED)
def test_what_is_no_chain_on_an_operation_stays(source: str) -> None:
    assert "_defer" not in compile_portable(source).code
    assert "__kD(" not in compile_job(source).script


def test_chains_count_in_statements_without_braces_and_in_variables() -> None:
    assert "_defer(fn(), " in compile_portable("if (a) fn().then(b)").code
    assert "const op = _defer(get(y), p => p.then(a));" in compile_portable("const op = get(y).then(a);").code
    assert "[_defer(fn(x), p => p.then(a))]" in compile_portable("export default [fn(x).then(a)]").code


def test_the_operation_list_names_the_author_s_call() -> None:
    job = compile_job("\nget(1)\n  .then(a);\nhttp.get(2).catch(b);\n(fn(3)).then(c)")

    assert [(one.name, one.line, one.order) for one in job.operations] == [("get", 2, 1), (None, 4, 2), ("fn", 5, 3)]


def test_the_helper_s_names_are_free() -> None:
    code = compile_portable("import { defer as _defer } from '@openfn/runtime';\nfn(x).then(p);").code

    assert 'import { defer as _defer2 } from "@openfn/runtime";' in code
    assert "[_defer2(fn(x), p2 => p2.then(p))]" in code


def test_a_parameter_of_the_chain_s_own_function_hides_nothing() -> None:
    assert default_of("fn(x).then(p => p).then(({ p }) => p)") == "_defer(fn(x), p => p.then(p => p).then(({ p }) => p))"


RUNS = [
    ("add(1).then(add(2)).then(add(3))", {"words": [1, 2, 3]}),
    ("fail('x').catch((e, s) => ({ ...s, words: [e.message] }))", {"words": ["x"]}),
    ("failAtOnce('x').catch((e, s) => ({ ...s, words: [e.message] })).then(add('t'))", {"words": ["x", "t"]}),
    ("fail('x').then(add(1)).catch((e, s) => ({ words: [e.message, s === undefined] }))", {"words": ["x", True]}),
    ("let done = 0; add(1).finally(() => { done = 1 }); fn(s => ({ ...s, done }))", {"words": [1], "done": 1}),
    ("each(add(1).then(add(2)), add(3)).then(add(4))", {"words": [1, 2, 3, 4]}),
    ("add(1).then(add(2).catch(add(9)))", {"words": [1, 2]}),
    ("add(1)['then'](add(2))['finally'](() => {})", {"words": [1, 2]}),
    ("(add(1)\n  .catch(add(9))) // why\n  .then(add(2));\nadd(3)", {"words": [1, 2, 3]}),
    ("const op = add(1).then(add(2)); each(op, op)", {"words": [1, 2, 1, 2]}),
]


@pytest.mark.parametrize(("source", "expected"), RUNS)
def test_chains_run_in_order(node: Any, source: str, expected: object) -> None:
    assert node.run(source + TOOLS)["result"] == expected
    assert node.run_portable(source + TOOLS)["result"] == expected


def test_chains_without_an_operation_compile_and_give_no_function(node: Any) -> None:
    answer = node.run("const x = Promise.resolve(1);\nx.then(() => 2)")

    assert answer["error"]["message"] == "operation is not a function"
