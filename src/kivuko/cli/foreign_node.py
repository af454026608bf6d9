"""Asks a Node.js from elsewhere what it is."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

__all__ = ["ask_version"]

_SECONDS = 20


def ask_version(node: Path) -> str:
    """What the program says its version is, or ``unknown``."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=False, env={}).stdout
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    match = re.search(r"\d+\.\d+\.\d+", said)
    return match[0] if match else "unknown"
