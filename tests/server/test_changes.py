"""The hub of changes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kivuko.records import Change, new_id
from kivuko.server.changes import Changes

CHANGE = Change("run", new_id(), new_id())


def test_everybody_who_listens_hears_every_change() -> None:
    hub, first, second = Changes(), [], []
    hub.subscribe(first.append)
    end = hub.subscribe(second.append)
    hub.heard([CHANGE])
    end()
    hub.heard([CHANGE])
    assert (first, second) == ([[CHANGE], [CHANGE]], [[CHANGE]])


def test_a_listener_that_fails_silences_nobody(caplog: pytest.LogCaptureFixture) -> None:
    hub, heard = Changes(), []

    def fail(changes: Sequence[Change]) -> None:
        raise ValueError(changes)

    hub.subscribe(fail)
    hub.subscribe(heard.append)
    hub.heard([CHANGE])
    assert heard == [[CHANGE]]


def test_a_gap_is_told_to_those_who_want_to_know() -> None:
    hub, told = Changes(), []
    hub.on_gap(lambda: told.append("gap"))
    hub.missed()
    assert told == ["gap"]


def test_one_who_fails_at_a_gap_silences_nobody() -> None:
    hub, told = Changes(), []
    hub.on_gap(lambda: [][0])
    hub.on_gap(lambda: told.append("gap"))
    hub.missed()
    assert told == ["gap"]
