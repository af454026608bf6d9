"""Signals to stop."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from kivuko.server.signals import Signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_one_is_told(number: signal.Signals) -> None:
    async def heard() -> signal.Signals:
        with Signals() as signals:
            os.kill(os.getpid(), number)
            return await asyncio.wait_for(signals.first(), 20)

    assert asyncio.run(heard()) is number


def test_the_second_one_ends_the_process_at_once() -> None:
    codes: list[int] = []

    async def heard() -> None:
        ended = asyncio.Event()

        def end(code: int) -> None:
            codes.append(code)
            ended.set()

        with Signals(end) as signals:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(signals.first(), 20)
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.wait_for(ended.wait(), 20)

    asyncio.run(heard())
    assert codes == [130]


def test_afterwards_signals_are_the_machines_again() -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def used() -> None:
        with Signals():
            pass

    asyncio.run(used())
    assert signal.getsignal(signal.SIGTERM) in (before, signal.SIG_DFL)
