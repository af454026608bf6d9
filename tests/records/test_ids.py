"""Keys rise, whatever the clock does."""

from __future__ import annotations

import os
import subprocess
import sys
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


def test_keys_are_unlike_each_other_in_all_their_random_bits() -> None:
    made = [IdSource(now_ns=lambda: 0).new() for _ in range(400)] + [new_id() for _ in range(1200)]
    assert len({each[8:] for each in made}) == len(made)
    bits = [int.from_bytes(each[8:], "big") for each in made]
    # Each of the 62 is set about every second time: 1 600 tosses, and seven standard deviations to each side.
    assert all(660 < sum(number >> at & 1 for number in bits) < 940 for at in range(62))
    assert {number >> 62 for number in bits} == {0b10}


def test_randomness_is_asked_for_seldom_and_never_used_twice() -> None:
    asked: list[int] = []

    def random(size: int) -> bytes:
        asked.append(size)
        return b"".join((len(asked) * 1000 + at).to_bytes(8, "big") for at in range(size // 8))

    source = IdSource(random=random)
    tails = [source.new()[8:] for _ in range(1100)]
    assert len(set(tails)) == 1100
    assert sum(asked) // 8 - 1100 < asked[0] // 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_makes_keys_of_its_own() -> None:
    code = (
        "import os, sys\n"
        "from kivuko.records.ids import IdSource\n"
        "source = IdSource(now_ns=lambda: 0)\n"
        "source.new()\n"
        "child = os.fork()\n"
        "os.write(1, source.new()[8:].hex().encode() + b'\\n')\n"
        "if child: os.waitpid(child, 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True, timeout=30)
    first, second = done.stdout.split()
    assert first != second
