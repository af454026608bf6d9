"""The last changes of the process."""

from __future__ import annotations

import pytest

from kivuko.records import new_id
from kivuko.server.lanes.live.ring import Ring

PROJECT, OTHER = new_id(), new_id()


def test_what_came_after_an_event_is_given_in_order_and_of_one_project() -> None:
    ring = Ring()
    ids = [new_id() for _ in range(6)]
    events = [ring.add(PROJECT if at % 2 else OTHER, "run", each, at) for at, each in enumerate(ids)]
    found = ring.after(ring.name_of(events[1].number), PROJECT)
    assert found is not None
    assert [event.id for event in found] == [ids[3], ids[5]]


def test_after_the_newest_there_is_nothing() -> None:
    ring = Ring()
    assert ring.after(ring.last_name, PROJECT) == []
    ring.add(PROJECT, "run", new_id(), 0)
    assert ring.after(ring.last_name, PROJECT) == []


def test_what_has_fallen_out_is_not_known_any_more() -> None:
    ring = Ring(kept=3)
    names = [ring.name_of(ring.add(PROJECT, "run", new_id(), 0).number) for _ in range(5)]
    assert ring.after(names[0], PROJECT) is None
    assert len(ring.after(names[1], PROJECT) or []) == 3
    assert len(ring.after(names[2], PROJECT) or []) == 2


@pytest.mark.parametrize("name", ["", "7", "other-7", "-", "x-y", "x-1x"])
def test_a_name_of_another_process_or_none_is_not_known(name: str) -> None:
    ring = Ring()
    ring.add(PROJECT, "run", new_id(), 0)
    assert ring.after(name, PROJECT) is None


def test_a_name_that_was_never_given_is_not_known() -> None:
    ring = Ring()
    assert ring.after(ring.name_of(99), PROJECT) is None
    assert ring.after(ring.name_of(10**30), PROJECT) is None
