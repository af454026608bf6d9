"""The API over a platform on each database, as a program asks it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kivuko.platform.rules import PlatformRules
from kivuko.platform.settings import records_database
from kivuko.records import ObjectFolder, Records
from own_platform import Place
from platform_api.world import World, open_world


@pytest.fixture
def world(platform: Place) -> Iterator[World]:
    """A project on each database, and somebody who owns it."""
    yield from _world(platform)


@pytest.fixture
def small_world(sqlite_platform: Place) -> Iterator[World]:
    """The same on SQLite only, for what does not depend on the database."""
    yield from _world(sqlite_platform)


def _world(place: Place) -> Iterator[World]:
    rules = PlatformRules()
    records = Records(records_database(), ObjectFolder(place.settings.data_folder / "objects"), rules=rules)
    try:
        yield open_world(place, records)
    finally:
        records.close()
        rules.close()
