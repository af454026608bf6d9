"""Results of other threads reach the loop: each once, many with one wake-up."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import Any

import pytest

from kivuko.server.lanes.ingest.outcomes import Outcomes


def test_a_batch_wakes_the_loop_once() -> None:
    futures: list[Future[int]] = [Future() for _ in range(50)]

    def finish() -> None:
        for at, future in enumerate(futures):
            future.set_result(at)

    async def all_of_them() -> tuple[list[int], int]:
        outcomes, woken = Outcomes(), 0
        loop = asyncio.get_running_loop()
        call = loop.call_soon_threadsafe

        def counted(*arguments: Any) -> Any:
            nonlocal woken
            woken += arguments[0] == outcomes._deliver
            return call(*arguments)

        loop.call_soon_threadsafe = counted  # type: ignore[method-assign, assignment]
        waiting = [asyncio.create_task(outcomes.of(future, 10)) for future in futures]
        await asyncio.sleep(0)  # paced: gives the loop one turn
        thread = threading.Thread(target=finish)
        thread.start()
        # The loop is held here until all are finished.
        thread.join()
        return await asyncio.gather(*waiting), woken

    results, woken = asyncio.run(all_of_them())
    assert results == list(range(50))
    assert woken == 1


def test_nothing_is_lost_between_two_wake_ups() -> None:
    async def many() -> list[int]:
        outcomes = Outcomes()
        futures: list[Future[int]] = [Future() for _ in range(2000)]
        waiting = [asyncio.create_task(outcomes.of(future, 20)) for future in futures]
        await asyncio.sleep(0)  # paced: gives the loop one turn
        threads = [
            threading.Thread(target=lambda part=part: [future.set_result(1) for future in futures[part::4]])  # type: ignore[misc]
            for part in range(4)
        ]
        for thread in threads:
            thread.start()
        results = await asyncio.gather(*waiting)
        for thread in threads:
            thread.join()
        return results

    assert asyncio.run(many()) == [1] * 2000


def test_what_is_finished_already_is_there_at_once() -> None:
    future: Future[str] = Future()
    future.set_result("x")
    assert asyncio.run(Outcomes().of(future, 10)) == "x"


def test_an_error_is_raised_and_a_cancelled_future_cancels() -> None:
    failed: Future[None] = Future()
    failed.set_exception(KeyError("k"))
    with pytest.raises(KeyError):
        asyncio.run(Outcomes().of(failed, 10))
    cancelled: Future[None] = Future()
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(Outcomes().of(cancelled, 10))


def test_who_stops_waiting_leaves_the_future_alone() -> None:
    future: Future[int] = Future()

    async def impatient() -> int:
        outcomes = Outcomes()
        with pytest.raises(TimeoutError):
            await outcomes.of(future, 0)
        assert not future.cancelled()
        future.set_result(7)
        return await outcomes.of(future, 10)

    assert asyncio.run(impatient()) == 7
