"""The portable form: the reference's shape, the author's bytes, a source map (jobs-and-runtime §1.10, cli.md §3.2)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from kivuko.errors import LazyStateError
from kivuko.language import AdaptorNames, Operation, compile_portable

COMMON = AdaptorNames("@openfn/language-common", ("fn", "get", "each", "util"))
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def code_of(source: str, *adaptors: AdaptorNames) -> str:
    return compile_portable(source, adaptors).code


def test_the_exact_output_of_the_smallest_job() -> None:
    assert code_of("fn(s => s)", COMMON) == (
        'import { fn } from "@openfn/language-common";\nexport * from "@openfn/language-common";\nexport default [fn(s => s)];'
    )
    assert code_of("fn(s => s)") == "export default [fn(s => s)];"
    assert code_of("") == "export default [];"


def test_later_adaptors_stand_above_earlier_ones_and_the_helper_below_the_author_s_imports() -> None:
    code = code_of("import a from 'a';\nimport b from 'b';\nget(x).then(a);\nconst y = 1;", COMMON, AdaptorNames("B", ("x",)))

    assert code.split("\n") == [
        'import { x } from "B";',
        'export * from "B";',
        'import { get } from "@openfn/language-common";',
        'export * from "@openfn/language-common";',
        "import a from 'a';",
        "import b from 'b';",
        'import { defer as _defer } from "@openfn/runtime";',
        "const y = 1;",
        "export default [_defer(get(x), p => p.then(a))];",
    ]


SHAPES = [
    ("fn();\nconst a = 1;\nfn(a);", "const a = 1;\nexport default [fn(), fn(a)];"),
    ("const a = 1; fn(a); const b = 2", "const a = 1; const b = 2\nexport default [fn(a)];"),
    ("get();\nexport default [fn()];", "export default [fn(), get()];"),
    ("get();\nexport default [fn(),]", "export default [fn(),get()]"),
    ("get();\nexport default []", "export default [get()]"),
    ("get();\nexport default [\n  fn() // c\n]", "export default [\n  fn() // c\n, get()]"),
    ("fn();\nexport default s => s", "fn();\nexport default s => s"),
    ("export const a = 1;\nfn()", "export const a = 1;\nexport default [fn()];"),
    ("#!/bin/x\nfn()", "#!/bin/x\nexport default [fn()];"),
    ("\ufefffn()", "export default [fn()];"),
    ("// about fn\nfn(); // more\n// about a\nconst a = 1; // last", "// more\n// about a\nconst a = 1; // last\nexport default [fn()];"),
    ("const f = g\nfn();\n(a || b).c = 1", "const f = g\n;(a || b).c = 1\nexport default [fn()];"),
    (
        "const f = g\nfn();\nget()\n`x`",
        "const f = g\nget()\n`x`\nexport default [fn()];".replace("export", "fn\nexport").replace("fn\n", ""),
    ),
    ("if (x) { } fn(); b = 2", "if (x) { } ;b = 2\nexport default [fn()];"),
    ("a = 1 /*\n*/\nfn()\nb = 2", "a = 1 \nb = 2\nexport default [fn()];"),
    ("a = 1;\n\nfn()\n// b\nget()\n\nb = 2", "a = 1;\n\n\nb = 2\nexport default [fn(), get()];"),
    ("fn(import.meta.url)", "export default [fn(import.meta.url)];"),
]


@pytest.mark.parametrize(("source", "expected"), SHAPES)
def test_operations_move_into_the_default_export(source: str, expected: str) -> None:
    assert code_of(source) == expected


def test_long_operations_stand_on_lines_of_their_own() -> None:
    first, second = "fn('" + "a" * 50 + "')", "get('" + "b" * 50 + "')"

    assert code_of(f"{first};\n{second};") == f"export default [\n  {first},\n  {second}\n];"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_moved_operations_are_copied_byte_for_byte(end: str) -> None:
    operation = f"fn(s => {{{end}\t  const t = `a{end}   b${{s}}{end}`; // c\u2028{end}  return /x{{2}}/u.test('é😀');{end}}})"

    assert operation in code_of(f"const a = 1;{end}{end}{operation};{end}get(1)")


def test_a_module_that_was_compiled_once_stays_as_it_is() -> None:
    once = code_of("import a from 'a';\nget(a).catch(f).then(g);\nfn($.x)", COMMON)

    assert compile_portable(once).code == once


def test_the_adaptor_s_default_name_is_no_import() -> None:
    assert code_of("fn(util.x)", AdaptorNames("X", ("default", "util"))).startswith('import { util } from "X";')


def test_lazy_state_errors_are_raised_too() -> None:
    with pytest.raises(LazyStateError):
        compile_portable("const a = $.b")


def decoded(mappings: str) -> list[list[tuple[int, int, int]]]:
    """Per line of the output: (output column, source line, source column), 0-based."""
    lines: list[list[tuple[int, int, int]]] = []
    line = column = 0
    for text in mappings.split(";"):
        lines.append([])
        out = 0
        for segment in filter(None, text.split(",")):
            numbers = vlq(segment)
            assert len(numbers) == 4
            assert numbers[1] == 0
            out, line, column = out + numbers[0], line + numbers[2], column + numbers[3]
            lines[-1].append((out, line, column))
    return lines


def vlq(segment: str) -> list[int]:
    numbers, value, shift = [], 0, 0
    for letter in segment:
        digit = DIGITS.index(letter)
        value |= (digit & 31) << shift
        shift += 5
        if not digit & 32:
            numbers.append(-(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    return numbers


def units(text: str, column: int) -> str:
    """The text from a UTF-16 column on."""
    return text.encode("utf-16-le")[2 * column :].decode("utf-16-le")


MAPPED = [
    "fn(s => s.a.b);\nget($.x, 'y')",
    "// c\n\n  get(1)\n    .catch(e => e.x)\n    .then(s => s);\nconst a = '😀', b = a;\nexport default [each(a)]",
    "const t = `a\n  b ${x}\n`;\r\nfn(t)\r\nget({ a: $.b })",
    "import a from 'a'\nfn(a, 'é')\nfn(1).then(fn(2).catch(get(3)))",
]


@pytest.mark.parametrize("source", MAPPED)
def test_the_source_map_leads_each_word_to_the_same_word_of_the_author(source: str) -> None:
    module = compile_portable(source, [COMMON], name="my job")
    source_map = json.loads(json.dumps(module.source_map))
    authors, found = re.split(r"\r\n|\n", source), 0

    for line, segments in zip(re.split(r"\r\n|\n", module.code), decoded(source_map["mappings"]), strict=True):
        assert [segment[0] for segment in segments] == sorted({segment[0] for segment in segments})
        for column, author_line, author_column in segments:
            here, there = units(line, column), units(authors[author_line], author_column)
            word = re.match(r"[\w$]+|\S", there)
            assert word is not None
            assert here.startswith(word.group())
            found += 1
    assert found > 10


def test_the_source_map_s_other_keys() -> None:
    source_map = compile_portable("http.get();\nfn()", name="a").source_map

    assert source_map == {
        "version": 3,
        "sources": ["a.js"],
        "names": [],
        "mappings": source_map["mappings"],
        "file": "a.map.js",
        "sourcesContent": ["http.get();\nfn()"],
        "operations": [{"line": 1, "order": 1}, {"name": "fn", "line": 2, "order": 2}],
    }
    assert compile_portable("fn()").operations == (Operation("fn", 1, 1),)


def test_both_forms_give_the_same_result(node: Any) -> None:
    source = (
        "const base = 'x'\nadd(base, $.list.map(n => n + 1)).then(s => ({ ...s, then: 1 }));\nif (true) { var q = 2 }\n"
        "add(q).catch(e => e);\nadd(9)\nexport const k = 3;\n"
        "function add(...a) { return s => ({ ...s, got: [...s.got, a.map(x => x.call ? x(s) : x)] }) }"
    )
    state = {"list": [1], "got": []}

    assert node.run(source, state=state)["result"] == node.run_portable(source, state=state)["result"] != state
