"""Where an Attempt ends."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.runtime.leaves import Leaves, is_truthy


@pytest.mark.parametrize("state", [b"null", b"false", b"0", b"-0", b'""', b" null\n", b"", None])
def test_falsy_states_are_no_leaves(state: bytes | None) -> None:
    leaves = Leaves()
    leaves.add("a", state)
    assert not is_truthy(state)
    assert leaves.joined() is None


@pytest.mark.parametrize("state", [b"{}", b"[]", b"1", b'"x"', b"true", b'" "'])
def test_truthy_states_are(state: bytes) -> None:
    leaves = Leaves()
    leaves.add("a", state)
    assert leaves.joined() == state


def test_several_leaves_make_an_object_by_step() -> None:
    leaves = Leaves()
    leaves.add("b", b'{"x":1}')
    leaves.add("a", b"[2]")
    assert leaves.joined() == b'{"b":{"x":1},"a":[2]}'


def test_a_step_that_ends_again_gets_a_number() -> None:
    leaves = Leaves()
    for state in (b"1", b"2", b"3"):
        leaves.add("z", state)
    leaves.add("z-1", b"4")
    assert leaves.by_name() == {"z": b"1", "z-1": b"2", "z-2": b"3", "z-1-1": b"4"}


def test_cleared_leaves_are_gone() -> None:
    leaves = Leaves()
    leaves.add("a", b"1")
    leaves.clear()
    assert leaves.joined() is None


@given(st.dictionaries(st.text(), st.dictionaries(st.text(), st.integers()), min_size=2))
def test_joined_leaves_are_json_that_reads_as_all_of_them(states: dict[str, dict[str, int]]) -> None:
    leaves = Leaves()
    for step, state in states.items():
        leaves.add(step, json.dumps(state).encode())
    joined = leaves.joined()
    assert joined is not None
    assert json.loads(joined) == states
