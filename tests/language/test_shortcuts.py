"""Where the compiler takes a short way through a large text, it finds what the long way finds."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from kivuko.language import AdaptorNames, compile_job
from kivuko.language.source import LINE_END, SourceText
from kivuko.language.syntax import ROUNDS, nesting_of_text
from kivuko.language.words import HTML_COMMENT, META, OUTER_WORDS, find_places

NAMES = ("get", "$", "fn", "größe")
TEXTS = st.lists(
    st.sampled_from([*NAMES, "then", "await", "x1", "1get", " ", ".", "(", "\n", "import.meta", "-->", "é", "\u2028", "\u00a0"])
)
BRACKETS = st.lists(st.sampled_from("()[]{}x"), max_size=60).map("".join)


def depth_of(text: str) -> int:
    """The deepest nesting, counted bracket by bracket."""
    depth = deepest = 0
    for sign in text:
        depth = max(0, depth + (sign in "([{") - (sign in ")]}"))
        deepest = max(deepest, depth)
    return deepest


@given(TEXTS.map("".join))
def test_places_are_those_of_whole_words_counted_in_bytes(text: str) -> None:
    places = find_places(text.encode(), NAMES)
    found = [(match[0], len(text[: match.start()].encode())) for match in re.finditer(r"[\w$]+", text)]
    wanted = {place for word, place in found if word in NAMES}
    outer = {place for word, place in found if word.encode() in OUTER_WORDS}
    signs = {match.start() for pattern in (META, HTML_COMMENT) for match in pattern.finditer(text.encode())}
    assert wanted | signs <= set(places.inside) <= wanted | signs | outer
    assert places.everywhere == sorted(wanted | signs | outer)
    assert places.inside == sorted(places.inside)


@given(st.text(alphabet="ab \n\r\u2028\x0b\x0c\x85é", max_size=30))
def test_lines_begin_where_ecmascript_says_whatever_the_text_holds(text: str) -> None:
    source = SourceText(text)
    assert source.line_starts == [0, *(match.end() for match in LINE_END.finditer(source.data))]


@given(BRACKETS)
def test_nesting_is_never_underrated(text: str) -> None:
    many = text + "()" * 1001  # fewer brackets are not looked at
    assert nesting_of_text(many.encode()) >= depth_of(many)


@given(st.integers(1, 3 * ROUNDS))
def test_nesting_of_complete_brackets_is_counted_exactly(levels: int) -> None:
    text = ("(" * levels + ")" * levels) * (1001 // levels + 1)
    assert nesting_of_text(text.encode()) == levels


def test_a_job_of_many_lines_is_compiled_like_its_parts() -> None:
    http = AdaptorNames("@openfn/language-http", ("get", "post", "fn"))
    lines = ["get($.a, { b: post($.c) });", "fn(state => { const get = 1; return get; });", "get('x').then(s => s).catch(fn);"]
    whole = compile_job("\n".join(lines * 300), [http])
    parts = [compile_job(line, [http]) for line in lines]
    assert whole.script.count(".push(") == 900
    assert whole.insertions == tuple((line + 1, column, length) for line in range(900) for _, column, length in parts[line % 3].insertions)
    assert [operation.name for operation in whole.operations] == ["get", "fn", "get"] * 300
