"""The platform on both databases."""

from __future__ import annotations

from own_platform import migrated_postgresql, platform, platform_file, sqlite_platform
from records.conftest import own_server

__all__ = ["migrated_postgresql", "own_server", "platform", "platform_file", "sqlite_platform"]
