"""What holds for every test: nothing of the person's own environment leaks in, and no property test depends on the machine's speed."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("kivuko", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI")))
settings.load_profile("kivuko")

_OURS = ("KIVUKO_", "OPENFN_", "IGNORE_DOT", "NO_COLOR", "PREFER_LEGACY_SYNC")
_KEPT = ("KIVUKO_POSTGRESQL_BIN", "KIVUKO_TEST_")
_COSTLY = frozenset({"mariadb"})
"""Fixtures of the session that start a server."""


def pytest_configure(config: pytest.Config) -> None:
    """Forget what changes how Kivuko behaves: variables (those that say where the tests find things stay), and ignored interrupts."""
    for name in list(os.environ):
        if name.startswith(_OURS) and not name.startswith(_KEPT):
            del os.environ[name]
    # Who is started behind a shell ignores interrupts, and so would all that the tests start and interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share something costly run in one process, when several share the work (xdist's loadgroup)."""
    for item in items:
        for fixture in _COSTLY.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group(fixture))
