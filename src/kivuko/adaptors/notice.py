"""What the store tells while it works: typed notices, so that each caller words and shows them its own way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from kivuko.value import value

__all__ = ["Notice", "Progress", "silent"]

Kind = Literal[
    "looked-up",
    "offline",
    "newest-installed",
    "waiting",
    "installing",
    "installed",
    "skipped",
    "complete",
    "tools",
    "bundling",
    "unbundled",
]


@value
class Notice:
    """One thing the store did or is about to do. ``text`` is ready to print; ``level`` is the log level it belongs to."""

    kind: Kind
    text: str
    level: Literal["always", "success", "info", "debug", "warn"] = "info"
    name: str = ""
    version: str = ""


Progress = Callable[[Notice], None]


def silent(notice: Notice) -> None:
    """Drops a notice: the default of everything that reports progress."""
    del notice
