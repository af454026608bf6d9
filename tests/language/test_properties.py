"""What holds for every program that can be put together from snippets."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kivuko.errors import CompileError
from kivuko.language import AdaptorNames, compile_job, compile_module, compile_portable, exported_names

LINE_END = r"\r\n|[\n\r\u2028\u2029]"
ADAPTOR = AdaptorNames("A", ("get", "post", "state", "p"))

OPERATIONS = (
    "op(N)",
    "op(N);",
    "op(N).then(s => s)",
    "op(N)\n  .catch(e => e)\n  .then(s => s)",
    ";(op(N))",
    "op(N, $.a, { b: $.c })",
    "op(N, `a\n  ${'b'}\n`)",
    "op(N, '😀', /[)}]/)",
    "op(N, late)",
    "op(await N)",
    "tools.op(N)",
    "op(N) // note )",
    "/* ( */ op(N)['finally'](() => {})",
    "op(N, $.list.map(x => x))",
)
STATEMENTS = (
    "void say(N)",
    "say(N), 0",
    "const cN = say(N);",
    "{ let op = 1; say(N) }",
    "if (say(N) || true) { }",
    "export const xN = say(N);",
    "for (const i of [1]) say(N)",
    "import { a as aN } from 'm'; void say(N)",
    "try { say(N) } catch { }",
    "var { vN = say(N) } = {}",
    "void say(N) /*\n*/",
    "class CN { static f = say(N) }",
)
NOISE = ("", "// ) } ' `", "/* ' \n */", ";", "function gN() { return op($) }", "'use strict'", "lN: for (;;) break lN")
TOOLS = """
const late = 1;
function op(n) { log('op ' + n); return s => s }
const tools = { op };
function say(n) { log('say ' + n) }
"""

snippets = st.lists(
    st.one_of(
        st.tuples(st.just("op"), st.sampled_from(OPERATIONS)),
        st.tuples(st.just("say"), st.sampled_from(STATEMENTS)),
        st.tuples(st.just(""), st.sampled_from(NOISE)),
    ),
    max_size=12,
)
line_ends = st.sampled_from(["\n", "\r\n", "\n\n", "\n\t"])


def program(parts: list[tuple[str, str]], end: str) -> str:
    """The snippets on lines of their own, each with its number for N."""
    return end.join(re.sub(r"N", str(number), text) for number, (_, text) in enumerate(parts))


def numbered(parts: list[tuple[str, str]], kind: str) -> list[str]:
    return [f"{kind} {number}" for number, (found, _) in enumerate(parts) if found == kind]


@given(parts=snippets, end=line_ends)
def test_statements_run_first_and_operations_are_made_in_order(node: Any, parts: list[tuple[str, str]], end: str) -> None:
    answer = node.run(program(parts, end) + "\n" + TOOLS.replace("\n", " "), modules="{ m: { a: 1 } }", state={"list": []})

    assert "error" not in answer
    assert answer["log"] == [*numbered(parts, "say"), "loaded", *numbered(parts, "op")]


@given(parts=snippets, end=line_ends)
def test_the_portable_form_runs_alike(node: Any, parts: list[tuple[str, str]], end: str) -> None:
    answer = node.run_portable(program(parts, end) + "\n" + TOOLS, modules="{ m: { a: 1 } }", state={"list": []})

    assert answer["log"] == [*numbered(parts, "say"), *numbered(parts, "op"), "loaded"]


@given(parts=snippets, end=line_ends)
def test_lines_stay_and_the_author_s_text_can_be_recovered(parts: list[tuple[str, str]], end: str) -> None:
    source = program(parts, end)
    job = compile_job(source, [ADAPTOR])
    lines = job.script.split("\n")[1:]

    assert len(lines) - 1 == len(source.split("\n"))
    for number, (line, author) in enumerate(zip(lines, source.split("\n"), strict=False), 1):
        text = line.encode("utf-16-le")
        for where, column, length in reversed(job.insertions):
            if where == number:
                text = text[: 2 * column] + text[2 * (column + length) :]
        assert same_but_for_blanks(text.decode("utf-16-le"), author)


def same_but_for_blanks(line: str, author: str) -> bool:
    """Whether a line is the author's, but for overwritten statements (blank), `$` (now an s) and the words of a catch."""
    if re.match(r"\s*(?:import|export|\.catch)", author):
        return len(line) == len(author)
    return len(line) == len(author) and all(a == b or (a, b) == ("s", "$") for a, b in zip(line, author, strict=True))


@given(parts=snippets, end=line_ends)
def test_operations_are_listed_with_their_lines(parts: list[tuple[str, str]], end: str) -> None:
    source = program(parts, end)
    lines = source.split("\n")

    operations = compile_job(source).operations
    assert [one.order for one in operations] == list(range(1, len(numbered(parts, "op")) + 1))
    assert all("op(" in lines[one.line - 1] for one in operations)
    assert operations == compile_portable(source).operations


WORDS = st.sampled_from(
    [
        *"()[]{};,.`'\"/\\$=!?:<>-+*&|\n\r\u2028\u00a0",
        *("=>", "${", "?.", "...", "//", "/*", "*/", "<!--", "-->", "#!", "state", "$.x", "get", "fn(", ".then(", ".catch(", "['then']("),
        *("import ", "export ", "default ", "from ", "'m'", "const ", "let ", "function ", "class ", "return ", "await ", "async ", "new "),
        *(
            "import.meta",
            "new.target",
            "for ",
            "if ",
            "a",
            "p",
            "1",
            "\\u0061",
            "é",
            "😀",
            "\ud800",
            "=> {",
            "static ",
            "of ",
            "try ",
            "catch ",
        ),
    ]
)


def refusal(compiler: Callable[[str], object], source: str) -> CompileError | None:
    try:
        compiler(source)
    except CompileError as error:
        return error
    return None


@given(source=st.one_of(st.lists(WORDS, max_size=40).map("".join), st.text(max_size=60)))
def test_any_text_compiles_or_is_refused_with_a_place(source: str) -> None:
    for compiler in (lambda text: compile_job(text, [ADAPTOR]), compile_module, compile_portable, exported_names):
        error = refusal(compiler, source)
        if error is not None:
            assert error.line is not None
            assert error.column is not None
            assert 1 <= error.line <= 1 + len(re.findall(LINE_END, source))


@given(source=st.lists(WORDS, max_size=25).map("".join))
def test_no_bytes_are_lost_and_no_line_moves(source: str) -> None:
    try:
        job = compile_job(source, [ADAPTOR])
    except CompileError:
        return
    head, _, rest = job.script.partition("\n")
    ends = re.findall(LINE_END, job.source + "\n")

    assert head.startswith("(async function(")
    assert re.findall(LINE_END, rest)[: len(ends)] == ends
    assert all(line >= 1 and column >= 0 and length > 0 for line, column, length in job.insertions)
