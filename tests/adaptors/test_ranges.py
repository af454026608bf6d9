"""Ranges of versions, as npm reads them; every row was judged by hand from the documentation of node-semver."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.adaptors.ranges import in_range, matches, read_range
from kivuko.adaptors.semver import is_exact, precedence

INSIDE = [
    ("^1.2.3", "1.2.3 1.9.0"),
    ("^0.2.3", "0.2.3 0.2.9"),
    ("^0.0.3", "0.0.3"),
    ("^0.0", "0.0.0 0.0.9"),
    ("^0", "0.0.0 0.9.9"),
    ("^1.2.3-beta.2", "1.2.3-beta.2 1.2.3-beta.4 1.2.3 1.5.0"),
    ("^*", "0.0.0 9.0.0"),
    ("~1.2.3", "1.2.3 1.2.9"),
    ("~1.2", "1.2.0 1.2.9"),
    ("~> 1.2", "1.2.0 1.2.9"),
    ("~1", "1.0.0 1.9.0"),
    ("~0.2.3", "0.2.3 0.2.9"),
    ("1", "1.0.0 1.99.0"),
    ("1.2.x", "1.2.0 1.2.7"),
    ("1.X.*", "1.0.0 1.2.7"),
    ("1.x.3", "1.0.0 1.9.9"),
    ("*", "0.0.0 3.0.0"),
    ("", "0.0.0 3.0.0"),
    ("=3.0.0", "3.0.0"),
    ("v3.0.0", "3.0.0"),
    ("= v3.0.0", "3.0.0"),
    ("3.0.0+build", "3.0.0"),
    (">=2 <3", "2.0.0 2.9.9"),
    (">= 2.0.0  < 3.0.0", "2.0.0 2.9.9"),
    (">2", "3.0.0 4.0.0"),
    (">2.1", "2.2.0 3.0.0"),
    (">2.1.1", "2.1.2"),
    ("<=2", "2.9.9 0.1.0"),
    ("<=2.1", "2.1.9"),
    ("<=2.1.1", "2.1.1"),
    ("<3", "2.9.9 0.0.0"),
    ("<3.1", "3.0.9"),
    (">=*", "1.0.0"),
    ("1.2.3 - 2.3.4", "1.2.3 2.3.4"),
    ("1.2 - 2.3", "1.2.0 2.3.9"),
    ("1 - 2", "1.0.0 2.9.9"),
    ("1.2.3 - *", "1.2.3 9.0.0"),
    ("3 || 4", "3.0.0 4.9.0"),
    ("3||>=5.1", "3.0.0 5.1.0"),
    (">1.2.3-alpha.3", "1.2.3-alpha.7 1.2.3 3.4.5"),
]

OUTSIDE = [
    ("^1.2.3", "1.2.2 2.0.0 2.0.0-rc.1 1.3.0-beta"),
    ("^3.0.0", "7.2.10"),
    ("^0.2.3", "0.3.0 0.2.2"),
    ("^0.0.3", "0.0.4 0.0.2"),
    ("^0.0", "0.1.0"),
    ("^0", "1.0.0"),
    ("^1.2.3-beta.2", "1.2.3-beta.1 1.2.4-beta.2 2.0.0"),
    ("~1.2.3", "1.3.0 1.2.2"),
    ("~3.1", "7.2.10 3.2.0"),
    ("~1", "2.0.0"),
    ("1.2.x", "1.3.0 1.1.9"),
    ("1", "13.0.0 1.0.0-rc.1"),
    ("*", "1.0.0-rc.1"),
    ("=3.0.0", "7.2.10 3.0.1 3.0.0-rc.1"),
    (">=2 <3", "7.2.10 1.9.9 3.0.0 3.0.0-rc.1"),
    (">2", "2.0.0 2.9.9"),
    (">2.1", "2.1.9"),
    ("<=2", "3.0.0"),
    ("<=2.1", "2.2.0"),
    ("<3", "3.0.0 3.0.0-rc.1 7.2.10"),
    ("<3.1", "3.1.0"),
    (">*", "1.0.0 0.0.0"),
    ("<*", "1.0.0 0.0.0"),
    ("1.2.3 - 2.3.4", "1.2.2 2.3.5"),
    ("1.2 - 2.3", "2.4.0"),
    ("1 - 2", "3.0.0 0.9.9"),
    ("3 || 4", "5.0.0 2.9.9"),
    (">1.2.3-alpha.3", "3.4.5-alpha.9 1.2.3-alpha.2"),
]


@pytest.mark.parametrize(("text", "versions"), INSIDE)
def test_what_a_range_holds(text: str, versions: str) -> None:
    wanted = read_range(text)
    assert wanted is not None
    assert [version for version in versions.split() if not in_range(version, wanted)] == []


@pytest.mark.parametrize(("text", "versions"), OUTSIDE)
def test_what_a_range_does_not_hold(text: str, versions: str) -> None:
    wanted = read_range(text)
    assert wanted is not None
    assert [version for version in versions.split() if in_range(version, wanted)] == []


@pytest.mark.parametrize("text", ["latest", "next", "^", ">=abc", "1.2.3.4", "1-2", "1.2.3 beta", "3 || beta", "<>1", "1 -", "^^1", "x1"])
def test_what_is_no_range_is_told_apart(text: str) -> None:
    assert read_range(text) is None


@pytest.mark.parametrize(
    ("version", "wanted", "fits"),
    [
        ("3.3.4", None, True),
        ("3.3.4", "3", True),
        ("3.3.4", "3.3", True),
        ("3.3.4", "3.x", True),
        ("3.3.4", "3.2", False),
        ("13.0.0", "3", False),
        ("7.2.10", "^3.0.0", False),
        ("3.3.4", "^3.0.0", True),
        ("3.3.4", "beta", True),
        ("2.0.0-rc3", None, True),
        ("3.3.4", ">=", False),
        ("3.3.4", "1.2.3.4", False),
    ],
)
def test_what_can_stand_for_what_was_asked(version: str, wanted: str | None, fits: bool) -> None:
    assert matches(version, wanted) is fits


def test_an_exact_version_takes_only_itself() -> None:
    assert matches("3.3.4", "3.3.4")
    assert not matches("3.3.4", "3.3.5")


numbers = st.tuples(*[st.integers(0, 3)] * 3)


@given(numbers, numbers)
def test_caret_and_tilde_are_what_their_definition_says(base: tuple[int, int, int], other: tuple[int, int, int]) -> None:
    caret, tilde = (read_range(sign + ".".join(map(str, base))) for sign in "^~")
    assert caret is not None
    assert tilde is not None
    kept = next((at for at, number in enumerate(base) if number), 2)
    version = ".".join(map(str, other))
    assert in_range(version, caret) is (other >= base and other[: kept + 1] == base[: kept + 1])
    assert in_range(version, tilde) is (other >= base and other[:2] == base[:2])


@given(st.text("0123456789.xX*^~<>=|- vab", max_size=14), numbers)
def test_any_text_is_a_range_or_none(text: str, version: tuple[int, int, int]) -> None:
    wanted = read_range(text)
    if is_exact(text):
        assert wanted is not None
        assert wanted[0][0][1] == precedence(text)
    elif wanted is not None:
        whole = read_range(f"{text} || *")
        assert whole is not None
        assert in_range(".".join(map(str, version)), whole)
