"""Buckets of tokens: so many at once, so many a second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.errors import RateLimited
from kivuko.records import new_id
from kivuko.server.lanes.ingest import RateLimit, Rates


class Clock:
    """Set by hand."""

    now_s = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now_s


def test_without_a_limit_everything_passes() -> None:
    rates, whose = Rates(), new_id()
    for _ in range(1000):
        rates.take(whose, None)


def test_an_address_does_not_use_up_what_another_may() -> None:
    rates, limit = Rates(Clock()), RateLimit(1, 1)
    for _ in range(5):
        rates.take(new_id(), limit)


@given(st.lists(st.floats(0, 3), max_size=60), st.floats(0.1, 5), st.integers(1, 5))
def test_never_more_pass_than_rate_and_burst_allow_and_the_wait_is_right(gaps: list[float], per_s: float, burst: int) -> None:
    clock = Clock()
    rates, whose, passed = Rates(clock), new_id(), 0
    for gap in gaps:
        clock.now_s += gap
        try:
            rates.take(whose, RateLimit(per_s, burst))
            passed += 1
        except RateLimited as refused:
            clock.now_s += (refused.retry_after_s or 0) + 1e-6
            rates.take(whose, RateLimit(per_s, burst))
            passed += 1
    assert passed <= burst + clock.now_s * per_s + 1e-6


def test_a_refusal_says_how_many_are_taken() -> None:
    rates, whose = Rates(Clock()), new_id()
    rates.take(whose, RateLimit(2, 1))
    with pytest.raises(RateLimited, match="2 requests a second") as refused:
        rates.take(whose, RateLimit(2, 1))
    assert refused.value.retry_after_s == 0.5
