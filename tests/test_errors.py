"""The error tree: its drawing shows every class at its place, and each class is offered by the package."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from kivuko import errors


def families(kind: type[errors.KivukoError]) -> Iterator[type[errors.KivukoError]]:
    """A class of the tree and all below it."""
    yield kind
    for child in kind.__subclasses__():
        if child.__module__.startswith(f"{errors.__name__}."):
            yield from families(child)


TREE = sorted(families(errors.KivukoError), key=lambda kind: kind.__name__)


def test_the_drawing_of_the_tree_is_the_tree() -> None:
    drawn: dict[str, str] = {}
    above = ["KivukoError"]
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r" {4}((?:│   | {4})*)[├└]── (\w+)", line):
            depth = len(found[1]) // 4 + 1
            above[depth:] = [found[2]]
            drawn[found[2]] = above[depth - 1]
    assert drawn == {kind.__name__: kind.__bases__[0].__name__ for kind in TREE if kind is not errors.KivukoError}


def test_the_package_offers_every_error() -> None:
    assert sorted(errors.__all__) == [kind.__name__ for kind in TREE]
    assert all(getattr(errors, kind.__name__) is kind for kind in TREE)


def test_every_error_has_a_code_of_its_own() -> None:
    assert len({kind.code for kind in TREE}) == len(TREE)


@pytest.mark.parametrize("kind", TREE)
def test_an_error_is_one_sentence(kind: type[errors.KivukoError]) -> None:
    sentence = (kind.__doc__ or "").split("\n", 1)[0]
    assert sentence.endswith(".")
    assert 10 < len(sentence) < 140
