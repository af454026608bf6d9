"""Order of versions (Semantic Versioning 2.0, §9–§11)."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["is_exact", "matches", "newest", "precedence"]

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")
_PARTIAL = re.compile(r"(\d+)(?:\.(\d+|[xX*]))?(?:\.[xX*])?")

Precedence = tuple[int, int, int, bool, tuple[tuple[int, int, str], ...]]


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


def matches(version: str, wanted: str | None) -> bool:
    """Whether an installed version can stand for what was asked: a tag or nothing takes any, ``3`` or ``3.2`` or ``3.x`` its own family."""
    family = _PARTIAL.fullmatch(wanted or "")
    if not family:
        return wanted is None or not wanted[0].isdigit() or version == wanted
    parts = [part for part in family.groups() if part and part.isdigit()]
    return version.split(".")[: len(parts)] == parts


def _identifier(text: str) -> tuple[int, int, str]:
    return (0, int(text), "") if text.isdigit() else (1, 0, text)
