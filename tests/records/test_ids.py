"""Keys rise, whatever the clock does."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.records.ids import Id, IdSource, new_id


def test_a_key_is_a_uuid_of_version_7() -> None:
    made = uuid.UUID(bytes=bytes(new_id()))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)


@given(st.lists(st.integers(min_value=0, max_value=2**60), min_size=1, max_size=50))
def test_keys_rise_even_when_the_clock_is_set_back(clock_ns: list[int]) -> None:
    ticks = iter(clock_ns)
    source = IdSource(now_ns=lambda: next(ticks))
    made = [source.new() for _ in clock_ns]
    assert made == sorted(set(made))


def test_a_key_tells_when_it_was_made() -> None:
    source = IdSource(now_ns=lambda: 1_795_254_860_529_139_000)
    assert abs(source.new().made_at_us - 1_795_254_860_529_139) <= 1


def test_a_key_reads_back_from_its_text() -> None:
    made = new_id()
    assert Id.parse(str(made)) == made
    assert Id.parse(made.hex()) == made
    assert str(made) == str(uuid.UUID(bytes=bytes(made)))


@pytest.mark.parametrize("text", ["", "x" * 32, "0" * 31, "0" * 33, "{" + "0" * 32 + "}", " " + "0" * 31])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no id|non-hexadecimal"):
        Id.parse(text)


def test_a_key_has_sixteen_bytes() -> None:
    with pytest.raises(ValueError, match="16 bytes, not 15"):
        Id(b"x" * 15)
