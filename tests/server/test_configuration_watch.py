"""Changes of the configuration by other processes."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from kivuko.errors import RecordsUnavailable
from kivuko.server import configuration_watch
from kivuko.server.configuration_watch import ConfigurationWatch


class Looking:
    """What the watch calls; ``away`` makes it fail."""

    def __init__(self) -> None:
        self.looked = threading.Semaphore(0)
        self.away = False

    def look(self) -> bool:
        """One look."""
        self.looked.release()
        if self.away:
            raise RecordsUnavailable("the database is away")
        return False


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> Looking:
    """In the place of the platform's own."""
    found = Looking()
    monkeypatch.setattr(configuration_watch, "look", found.look)
    return found


def watched(every_s: float, during: Callable[[ConfigurationWatch], None]) -> None:
    """A watch, while something happens."""
    watch = ConfigurationWatch(every_s=every_s)
    watch.start()
    try:
        during(watch)
    finally:
        watch.stop()


def test_it_looks_again_and_again_even_when_the_database_was_away(looking: Looking) -> None:
    def during(watch: ConfigurationWatch) -> None:
        assert looking.looked.acquire(timeout=20)
        looking.away = True
        assert all(looking.looked.acquire(timeout=20) for _ in range(3))
        looking.away = False
        assert looking.looked.acquire(timeout=20)

    watched(0.001, during)


def test_a_push_makes_it_look_at_once(looking: Looking) -> None:
    def during(watch: ConfigurationWatch) -> None:
        assert looking.looked.acquire(timeout=20)
        watch.look_now()
        assert looking.looked.acquire(timeout=20)

    watched(1_000, during)


def test_it_can_be_stopped_before_it_began() -> None:
    ConfigurationWatch().stop()
