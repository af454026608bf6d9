"""Kept answers about moving versions (cli.md §4.4)."""

from __future__ import annotations

from kivuko.adaptors import Layout
from kivuko.adaptors.answers import Answers

from .conftest import Clock

DAY = 86_400.0


def test_an_answer_is_fresh_for_a_day(layout: Layout, clock: Clock) -> None:
    answers = Answers(layout, clock, DAY)
    answers.keep("x", "latest", "1.0.0")
    clock.now += DAY - 1
    assert answers.fresh("x", "latest") == "1.0.0"
    clock.now += 2
    assert answers.fresh("x", "latest") is None


def test_each_question_has_its_own_answer(layout: Layout, clock: Clock) -> None:
    answers = Answers(layout, clock, DAY)
    answers.keep("x", "latest", "1.0.0")
    answers.keep("x", "next", "2.0.0-rc1")
    answers.keep("y", "latest", "3.0.0")
    assert [answers.fresh(*question) for question in (("x", "latest"), ("x", "next"), ("y", "latest"), ("y", "next"))] == [
        "1.0.0",
        "2.0.0-rc1",
        "3.0.0",
        None,
    ]


def test_a_lifetime_of_nothing_switches_the_cache_off(layout: Layout, clock: Clock) -> None:
    Answers(layout, clock, DAY).keep("x", "latest", "1.0.0")
    assert Answers(layout, clock, 0).fresh("x", "latest") is None


def test_an_answer_from_the_future_does_not_count(layout: Layout, clock: Clock) -> None:
    answers = Answers(layout, clock, DAY)
    answers.keep("x", "latest", "1.0.0")
    clock.now -= 10
    assert answers.fresh("x", "latest") is None


def test_a_damaged_file_is_asked_again(layout: Layout, clock: Clock) -> None:
    answers = Answers(layout, clock, DAY)
    layout.answers.parent.mkdir(parents=True)
    layout.answers.write_text('{"x@latest": {"version": 7}, "y@latest": "1.0.0"}')
    assert answers.fresh("x", "latest") is None
    assert answers.fresh("y", "latest") is None
