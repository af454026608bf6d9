"""Frozen values behave like frozen dataclasses."""

from __future__ import annotations

import copy
import pickle

import pytest

from kivuko.value import fields, fresh, replace, value


@value
class Point:
    """A place."""

    x: int
    y: int = 0
    tags: tuple[str, ...] = ()
    notes: dict[str, int] = fresh(factory=dict)


@value
class Named(Point):
    """A place with a name."""

    name: str = "here"


@value
class Checked:
    """A value that looks at itself."""

    size: int

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("size")


def test_fields_come_by_place_by_name_and_by_default() -> None:
    point = Point(1, tags=("a",))
    assert (point.x, point.y, point.tags, point.notes) == (1, 0, ("a",), {})


def test_equal_fields_make_equal_values_of_one_class() -> None:
    assert Point(1, 2) == Point(x=1, y=2)
    assert Point(1) != Point(2)
    assert Point(1) != Named(1)
    assert Point(1) != (1, 0, (), {})


def test_values_of_hashable_fields_are_keys() -> None:
    assert len({Checked(1), Checked(1), Checked(2)}) == 2
    with pytest.raises(TypeError):
        hash(Point(1))


def test_a_value_cannot_be_changed() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="x cannot be changed"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del point.x
    assert point.x == 1


def test_each_value_has_its_own_fresh_default() -> None:
    first, second = Point(1), Point(2)
    first.notes["n"] = 1
    assert second.notes == {}


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Point(), "Point needs x"),  # type: ignore[call-arg]
        (lambda: Point(1, z=2), "Point has no field z"),  # type: ignore[call-arg]
        (lambda: Point(1, x=2), "Point got x twice"),  # type: ignore[misc]
        (lambda: Point(1, 2, (), {}, 5), "too many"),  # type: ignore[call-arg]
    ],
)
def test_wrong_fields_are_named(make: object, complaint: str) -> None:
    with pytest.raises(TypeError, match=complaint):
        make()  # type: ignore[operator]


def test_a_copy_may_differ() -> None:
    point = Point(1, 2)
    assert replace(point, y=3) == Point(1, 3)
    assert point.y == 2
    with pytest.raises(TypeError, match="no field q"):
        replace(point, q=1)


def test_a_derived_value_has_the_fields_of_its_base_first() -> None:
    assert fields(Named) == ("x", "y", "tags", "notes", "name")
    assert Named(1, name="there").name == "there"
    assert Named(1).name == "here"


def test_a_value_may_look_at_itself_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="size"):
        Checked(-1)


def test_values_print_copy_pickle_and_match() -> None:
    point = Point(1, 2)
    assert repr(point) == "Point(x=1, y=2, tags=(), notes={})"
    assert copy.deepcopy(point) == pickle.loads(pickle.dumps(point)) == point
    match point:
        case Point(x, y):
            assert (x, y) == (1, 2)
