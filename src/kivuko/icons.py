"""The signs of log lines, for everything that prints them (jobs-and-runtime §2.12)."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ICONS"]

ICONS: Mapping[str, str] = {"debug": "❯", "info": "ℹ", "log": "ℹ", "success": "✔", "always": "♦", "warn": "⚠", "error": "✘"}
"""The sign before a line of each level; ``print`` has none."""
