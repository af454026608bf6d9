"""The time of an Attempt."""

from __future__ import annotations

from kivuko.runtime.deadline import Deadline


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns

    def pass_ms(self, duration: int) -> None:
        self.now_ns += duration * 1_000_000


def test_without_a_limit_a_run_has_its_own_time() -> None:
    deadline = Deadline(None, Hands())
    assert deadline.shorten(300) == (300, False)
    assert deadline.shorten(None) == (None, False)
    assert not deadline.is_over()


def test_the_shorter_limit_counts() -> None:
    hands = Hands()
    deadline = Deadline(1000, hands)
    assert deadline.shorten(300) == (300, False)
    hands.pass_ms(800)
    assert deadline.shorten(300) == (200, True)
    assert deadline.shorten(None) == (200, True)


def test_time_that_is_up_is_zero_and_never_less() -> None:
    hands = Hands()
    deadline = Deadline(1000, hands)
    hands.pass_ms(5000)
    assert deadline.remaining_ms() == 0
    assert deadline.is_over()


def test_more_time_can_be_allowed() -> None:
    hands = Hands()
    deadline = Deadline(1000, hands)
    hands.pass_ms(5000)
    deadline.allow(60_000)
    assert deadline.remaining_ms() == 60_000
    assert deadline.limit_ms == 60_000
