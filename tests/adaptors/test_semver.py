"""Order of versions (Semantic Versioning 2.0 §11)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.adaptors.semver import is_exact, newest, precedence

ORDER = [
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.2.0",
]


def test_versions_are_ordered_as_the_standard_says() -> None:
    assert sorted(set(ORDER), key=precedence) == ORDER


def test_numbers_are_compared_as_numbers() -> None:
    assert newest(["9.0.0", "10.0.0", "3.10.0", "3.9.0"]) == "10.0.0"


def test_a_release_is_preferred_to_a_later_pre_release() -> None:
    assert newest(["2.0.0-rc3", "1.15.2"]) == "1.15.2"
    assert newest(["2.0.0-rc3", "2.0.0-rc1"]) == "2.0.0-rc3"


def test_texts_that_are_no_versions_do_not_count() -> None:
    assert newest(["latest", "1.0", "^2.0.0"]) is None
    assert newest([]) is None


@pytest.mark.parametrize(
    ("text", "exact"), [("1.2.3", True), ("2.0.0-rc3", True), ("1.0.0+b1", True), ("1.2", False), ("latest", False), (None, False)]
)
def test_an_exact_version_is_told_from_others(text: str | None, exact: bool) -> None:
    assert is_exact(text) is exact


def test_a_text_that_is_no_version_has_no_precedence() -> None:
    with pytest.raises(ValueError, match="latest"):
        precedence("latest")


versions = st.builds("{}.{}.{}".format, *[st.integers(0, 50)] * 3)


@given(st.lists(versions, min_size=1))
def test_the_newest_is_one_of_them_and_none_is_newer(texts: list[str]) -> None:
    best = newest(texts)
    assert best in texts
    assert all(precedence(text) <= precedence(best) for text in texts if best)
