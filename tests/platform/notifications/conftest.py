"""Notifications on both databases, with a mail server of our own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clockwork.fixtures import migrated_file, migrated_server, own_server, world
from clockwork.mailbox import Mailbox

__all__ = ["migrated_file", "migrated_server", "own_server", "world"]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server on loopback that the platform is told of."""
    with Mailbox() as opened:
        yield opened
