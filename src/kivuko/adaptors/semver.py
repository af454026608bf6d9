"""Order of versions (Semantic Versioning 2.0, §9–§11)."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["Precedence", "is_exact", "newest", "precedence"]

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")

Precedence = tuple[int, int, int, bool, tuple[tuple[int, int, str], ...]]
"""What versions are ordered by: three numbers, whether it is a release, the parts of its pre-release."""


def is_exact(version: str | None) -> bool:
    """Whether the text is one full version, ``7.2.10`` or ``2.0.0-rc3``."""
    return version is not None and _VERSION.fullmatch(version) is not None


def precedence(version: str) -> Precedence:
    """A key that sorts versions from oldest to newest. Raises ValueError when the text is no full version."""
    match = _VERSION.fullmatch(version)
    if not match:
        raise ValueError(f"{version!r} is not a version")
    major, minor, patch, pre = match.groups()
    return int(major), int(minor), int(patch), pre is None, tuple(_identifier(part) for part in (pre or "").split(".") if part)


def newest(versions: Iterable[str]) -> str | None:
    """The highest version, a release before any pre-release; None when there is no version among the texts."""
    known = [version for version in versions if is_exact(version)]
    return max(known, key=lambda version: (precedence(version)[3], precedence(version)), default=None)


def _identifier(text: str) -> tuple[int, int, str]:
    return (0, int(text), "") if text.isdigit() else (1, 0, text)
