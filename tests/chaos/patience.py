"""Waiting for what comes, with an end."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Impatient", "wait_until"]


class Impatient(Exception):
    """Something did not happen in time."""


def wait_until(happened: Callable[[], bool], what: str, within_s: float, every_s: float = 0.05) -> None:
    """Returns when it has happened. Raises Impatient."""
    until_s = time.monotonic() + within_s
    while not happened():
        if time.monotonic() > until_s:
            raise Impatient(f"after {within_s:.0f} s: {what}")
        time.sleep(every_s)  # paced: polls with a deadline
