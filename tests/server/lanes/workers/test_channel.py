"""Messages of one topic are handled in the order they came."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from kivuko.errors import StaleClaim
from kivuko.server.lanes.workers.channel import Inline, InTurn
from kivuko.server.lanes.workers.reply import Reply, ok


def saying(name: str, told: list[str]) -> Callable[[Future[Reply]], None]:
    """A message that is answered with its name."""

    def handle(future: Future[Reply]) -> None:
        told.append(name)
        future.set_result(ok(name))

    return handle


def test_what_is_quick_is_done_at_once() -> None:
    told: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        turns = InTurn(pool)
        assert turns.add(False, saying("a", told)).done()
        assert turns.add(False, saying("b", told)).done()
    assert told == ["a", "b"]


def test_what_takes_time_is_done_elsewhere_and_what_follows_waits_for_it() -> None:
    told: list[str] = []
    gate = threading.Event()

    def slow(future: Future[Reply]) -> None:
        assert gate.wait(20)
        saying("slow", told)(future)

    with ThreadPoolExecutor(2) as pool:
        turns = InTurn(pool)
        futures = [turns.add(True, slow), turns.add(False, saying("a", told)), turns.add(True, saying("b", told))]
        assert not any(future.done() for future in futures)
        gate.set()
        assert [future.result(20).response for future in futures] == ["slow", "a", "b"]
        assert turns.add(False, saying("c", told)).done()
    assert told == ["slow", "a", "b", "c"]


def test_an_answer_that_comes_later_does_not_hold_up_the_next_message() -> None:
    told: list[str] = []
    turns = InTurn(Inline())
    waiting = turns.add(False, lambda future: None)
    assert turns.add(False, saying("a", told)).done()
    assert not waiting.done()


def test_many_threads_get_every_answer() -> None:
    told: list[str] = []
    with ThreadPoolExecutor(4) as pool, ThreadPoolExecutor(8) as senders:
        turns = InTurn(pool)
        futures = list(senders.map(lambda number: turns.add(number % 3 == 0, saying(str(number), told)), range(500)))
        assert [future.result(20).response for future in futures] == [str(number) for number in range(500)]
    assert sorted(told, key=int) == [str(number) for number in range(500)]


@pytest.mark.parametrize("slow", [True, False])
def test_what_goes_wrong_is_answered_and_the_next_message_handled(slow: bool) -> None:
    def refuse(future: Future[Reply]) -> None:
        raise StaleClaim()

    def fail(future: Future[Reply]) -> None:
        raise KeyError("a mistake of ours")

    turns, told = InTurn(Inline()), list[str]()
    answers = [turns.add(slow, handle).result(0).response for handle in (refuse, fail, saying("a", told))]
    assert answers == [{"reason": "stale_claim"}, {"reason": "internal"}, "a"]
