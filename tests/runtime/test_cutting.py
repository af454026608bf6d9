"""Long log messages."""

from __future__ import annotations

import pytest

from kivuko.engines.run import LogLine
from kivuko.runtime.cutting import CUT_MARK, cut


def line(*message: object, text: tuple[str | None, ...] | None = None) -> LogLine:
    return LogLine("info", "JOB", message, 0, text)


def test_without_a_limit_nothing_is_cut() -> None:
    long = line("x" * 1000)
    assert cut(long, None) is long


@pytest.mark.parametrize("message", ["short", 5, None, {"a": 1}, ["é"], "1234567890"])
def test_what_fits_stays_as_it_is(message: object) -> None:
    assert cut(line(message), 10) == line(message)


def test_a_long_text_is_cut_at_a_whole_character() -> None:
    assert cut(line("é" * 10), 5).message == ("éé" + CUT_MARK,)


def test_a_large_object_becomes_the_beginning_of_its_json() -> None:
    assert cut(line({"key": "x" * 50}), 10).message == ('{"key": "x' + CUT_MARK,)


def test_readable_forms_are_cut_too() -> None:
    assert cut(line("a", None, text=(None, "y" * 20)), 4).text == (None, "yyyy" + CUT_MARK)
