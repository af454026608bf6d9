"""Texts as words, and what is looked for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.records.search.words import needle_of, readable, words_of


def test_a_text_is_cut_at_everything_that_is_no_letter_and_no_digit() -> None:
    assert words_of('{"Case_Id": "C-12", "name":"Grüße/Ünal"}') == {"case", "id", "c", "12", "name", "grüsse", "ünal"}


def test_pictures_are_no_words() -> None:
    assert words_of(f'{{"photo":"{"iVBOR/w0K+" * 60}==","name":"a"}}') == {"photo", "name", "a"}


@pytest.mark.parametrize(
    ("text", "words", "beginning"),
    [("Patient 7981", ("patient",), "7981"), ("patient, ", ("patient",), None), ("a b a", ("a", "b"), "a"), ("x", (), "x")],
    ids=["open", "closed", "twice", "one"],
)
def test_the_last_word_may_go_on(text: str, words: tuple[str, ...], beginning: str | None) -> None:
    needle = needle_of(text)
    assert needle is not None
    assert (needle.words, needle.beginning) == (words, beginning)


def test_nothing_is_looked_for_without_letters() -> None:
    assert needle_of(' {"": -} ') is None


def test_escaped_characters_are_found_both_ways() -> None:
    text = readable(json.dumps({"name": "Grüße", "said": 'the "end"'}).encode())
    for looked_for in ("Grüße", 'the "end"', "Gr\\u00fc\\u00dfe"):
        needle = needle_of(looked_for)
        assert needle is not None
        assert needle.is_in(text)


@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=20))
def test_a_text_that_holds_the_needle_from_the_beginning_of_a_word_has_its_words(looked_for: str, before: str, after: str) -> None:
    text = f"{before} {looked_for}{after}"
    needle = needle_of(looked_for)
    if needle is None or not needle.is_in(text):
        return
    words = words_of(text)
    assert set(needle.words) <= words
    if needle.beginning is not None:
        assert any(word.startswith(needle.beginning) for word in words)
