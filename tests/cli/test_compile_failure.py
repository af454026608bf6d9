"""The lines around a place in a job."""

from __future__ import annotations

import pytest

from kivuko.cli.compile_failure import source_place


@pytest.mark.parametrize(
    ("source", "line", "column", "shown"),
    [
        ("fn(s => )", 1, 8, "1 | fn(s => )\n  |         ^"),
        ("a\nb\nc\nd", 4, 0, "2 | b\n3 | c\n4 | d\n  | ^"),
        ("\tx y", 1, 3, "1 | \tx y\n  | \t  ^"),
        ("'😀' +", 1, 5, "1 | '😀' +\n  |     ^"),
        ("a\r\nb(", 2, 2, "1 | a\n2 | b(\n  |   ^"),
        ("'\u2028' )", 1, 4, "1 | '\u2028' )\n  |     ^"),
        ("a", 1, None, "1 | a"),
        ("only text", None, None, "only text"),
        ("short", 9, 0, "short"),
    ],
)
def test_a_mark_stands_under_the_column_of_the_authors_line(source: str, line: int | None, column: int | None, shown: str) -> None:
    assert source_place(source, line, column) == shown


def test_numbers_are_as_wide_as_the_widest() -> None:
    assert source_place("x\n" * 10, 10, 0) == " 8 | x\n 9 | x\n10 | x\n   | ^"


def test_a_very_long_line_is_cut() -> None:
    assert len(source_place("x" * 100_000, 1, 50_000)) < 1000
