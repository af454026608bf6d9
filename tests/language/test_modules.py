"""Imports and exports in a script (engine.md §4.2)."""

from __future__ import annotations

from typing import Any

import pytest

from kivuko.errors import JobSyntaxError
from kivuko.language import AdaptorNames, compile_job, compile_module, compile_portable, exported_names

MODULES = "{ s: { a: 1, b: 2, default: 3, 'x-y': 4 }, t: { a: 5 }, fns: { op: n => s => ({ ...s, n }) } }"

IMPORTS = [
    ("import { a } from 's'", "a", 1),
    ("import { a as c } from 's'", "c", 1),
    ("import { a, b as c } from 's'", "[a, c]", [1, 2]),
    ("import {\n  a, // one\n  b,\n} from 's'", "[a, b]", [1, 2]),
    ("import { 'x-y' as z } from 's'", "z", 4),
    ("import { default as d } from 's'", "d", 3),
    ("import d from 's'", "d", 3),
    ("import d from 't'", "d", {"a": 5}),
    ("import * as n from 't'", "n", {"a": 5}),
    ("import d, * as n from 't'", "[d, n]", [{"a": 5}, {"a": 5}]),
    ("import d, { a } from 's'", "[d, a]", [3, 1]),
    ("import { a } from 's' with { type: 'json' }", "a", 1),
    ("import {} from 's'", "0", 0),
    ("import 's'", "0", 0),
    ('import { a } from "\\x73"', "a", 1),
]


@pytest.mark.parametrize(("statement", "expression", "value"), IMPORTS)
def test_imports_bind_what_the_module_exports(node: Any, statement: str, expression: str, value: object) -> None:
    for source in (f"{statement};\nvoid log({expression})", f"void log({expression})\n{statement}"):
        assert node.run(source, modules=MODULES)["log"][0] == value
        assert node.run_plain(source, modules=MODULES)["log"][0] == value


def test_the_specifiers_of_imports_and_adaptors_are_listed() -> None:
    job = compile_job(
        "import { a as b } from 's'; import 'u'; export * from 't'; fn(b)", [AdaptorNames("X", ("fn",)), AdaptorNames("Y", ("get",))]
    )

    assert job.imports == ("s", "u", "t")
    assert job.modules == ("X", "s", "u", "t")
    assert job.execute_from == ("X",)
    assert job.imported == {"s": ("a",), "u": (), "t": ()}


EXPORTS = [
    ("export const x = 1", {"x": 1}),
    ("export let x = 1, y = 2", {"x": 1, "y": 2}),
    ("export const { x, a: { y = 5 }, ...z } = { x: 1, a: {}, q: 2 }", {"x": 1, "y": 5, "z": {"q": 2}}),
    ("export const [x, , [y]] = [1, 2, [3]]", {"x": 1, "y": 3}),
    ("const a = 1; export { a as b, a }", {"b": 1, "a": 1}),
    ("export { a as b };\nconst a = 1", {"b": 1}),
    ("const a = 1; export { a as 'x-y' }", {"x-y": 1}),
    ("const a = 1; export { a as default }", {"default": 1}),
    ("export default 7", {"default": 7}),
    ("export default\n  7", {"default": 7}),
    ("export default (1, 2)", {"default": 2}),
    ("export { a as c, default } from 's'", {"c": 1, "default": 3}),
    ("export { default as d } from 't'", {"d": {"a": 5}}),
    ("export * as all from 't'", {"all": {"a": 5}}),
    ("export * from 's'", {"a": 1, "b": 2, "x-y": 4}),
    ("export const a = 9; export * from 's'", {"a": 9, "b": 2, "x-y": 4}),
    ("export * from 's'; export const a = 9", {"a": 9, "b": 2, "x-y": 4}),
]


@pytest.mark.parametrize(("source", "expected"), EXPORTS)
def test_exports_arrive_under_their_names(node: Any, source: str, expected: dict[str, object]) -> None:
    assert node.run(source, modules=MODULES)["exported"] == expected
    assert node.run_plain(source, modules=MODULES)["exported"] == expected


@pytest.mark.parametrize(
    "source",
    [
        "export function x() {}",
        "export async function* x() {}",
        "export class x {}",
        "export default function x() {}",
        "export default function () {}\n(1)",
        "export default async () => {}",
        "export default class {}\n[1]",
        "export default class x {}",
        "void x(); export default function x() {}",
        "void x(); export function x() {}",
    ],
)
def test_functions_and_classes_are_exported_and_hoisted(node: Any, source: str) -> None:
    answer = node.run_plain(source)

    assert "error" not in answer
    assert answer["names"] == ["default" if "default" in source else "x"]


def test_statements_around_an_erased_one_stay_apart(node: Any) -> None:
    answer = node.run("let a = 1\nexport { a }\n++a\nvoid log(a)")

    assert answer["log"][0] == 2


@pytest.mark.parametrize("value", ["function () { log('called') }", "class { static x = 1 }"])
def test_a_nameless_default_declaration_ends_by_itself(node: Any, value: str) -> None:
    answer = node.run_plain(f"export default {value}\n(void log('apart'))")

    assert answer["log"][0] == "apart"
    assert answer["names"] == ["default"]


def test_a_name_exported_twice_is_refused_as_in_a_module() -> None:
    with pytest.raises(JobSyntaxError) as caught:
        compile_job("export const a = 1; const b = 2;\nexport { b as a }")

    assert caught.value.message == "Duplicate export 'a' (2:14)"


def test_import_meta_is_an_empty_object(node: Any) -> None:
    answer = node.run("const f = 1\nimport.meta.x\nvoid log([Object.keys(import.meta), import\n.meta.url])")

    assert answer["log"][0] == [[], None]
    assert "import.meta.url" in compile_portable("fn(import.meta.url)").code


def test_a_plain_module_keeps_calls_chains_and_dollars(node: Any) -> None:
    answer = node.run_plain(
        "import { op } from 'fns'\nvar $ = { x: 1 };\nlog($.x);\nop(1);\nPromise.resolve(log(2)).then(log);\nexport default [op(3)]",
        modules=MODULES,
    )

    assert answer["log"][:2] == [1, 2]
    assert answer["result"] == {"n": 3}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("export const a = 1, b = 2; export let c; export var d", ("a", "b", "c", "d")),
        ("export function f() {} export class C {} export async function g() {}", ("f", "C", "g")),
        ("const a = 1; export { a as b, a }", ("b", "a")),
        ("export default 1; export * from 'x'; export const { y } = {}; export const [z] = []", ()),
        ("const hidden = 1", ()),
    ],
)
def test_the_names_that_globals_export(source: str, names: tuple[str, ...]) -> None:
    assert exported_names(source) == names


def test_globals_with_a_syntax_error_are_refused() -> None:
    with pytest.raises(JobSyntaxError):
        compile_module("export const a = 1;\n}")


def test_a_module_s_script_keeps_lines() -> None:
    job = compile_module("export const a = 1;\n\nexport {\n  a as b,\n  a as c\n};\nlog(a)")

    assert job.script.split("\n")[7] == "log(a)"
