"""A coroutine that is begun at once goes on where it stopped, as if it had been awaited in one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from kivuko.server.lanes.ingest.begun import Begun


async def at_once() -> str:
    return "here"


async def failing() -> str:
    raise KeyError("k")


async def later(*waited_for: Awaitable[object]) -> list[object]:
    return [await each for each in waited_for]


def test_what_has_nothing_to_wait_for_is_over_at_once() -> None:
    begun = Begun(at_once())
    assert (begun.over, begun.result) == (True, "here")


def test_an_error_before_the_first_wait_is_raised_at_once() -> None:
    with pytest.raises(KeyError):
        Begun(failing())


def test_the_rest_is_awaited_with_all_its_waits() -> None:
    async def scene() -> list[object]:
        loop = asyncio.get_running_loop()
        first, second = loop.create_future(), loop.create_future()
        begun = Begun(later(first, second))
        assert not begun.over
        loop.call_soon(first.set_result, 1)
        loop.call_later(0.001, second.set_result, 2)
        return await begun

    assert asyncio.run(scene()) == [1, 2]


def test_what_came_between_beginning_and_awaiting_is_not_missed() -> None:
    async def scene() -> list[object]:
        future = asyncio.get_running_loop().create_future()
        begun = Begun(later(future))
        future.set_result("meanwhile")
        return await begun

    assert asyncio.run(scene()) == ["meanwhile"]


def test_an_error_after_a_wait_reaches_who_awaits() -> None:
    async def scene() -> None:
        future = asyncio.get_running_loop().create_future()
        begun = Begun(later(future))
        future.set_exception(KeyError("k"))
        await begun

    with pytest.raises(KeyError):
        asyncio.run(scene())


def test_a_timeout_interrupts_the_coroutine_where_it_waits() -> None:
    seen: list[str] = []

    async def cleaning() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("cleaned")

    async def scene() -> None:
        begun = Begun(cleaning())
        async with asyncio.timeout(0.001):
            await begun

    with pytest.raises(TimeoutError):
        asyncio.run(scene())
    assert seen == ["cleaned"]


def test_one_that_is_never_awaited_can_be_ended() -> None:
    async def scene() -> None:
        Begun(later(asyncio.Event().wait())).close()

    asyncio.run(scene())
