"""Optimistic locking: ``ETag``, ``If-Match`` and ``lock_version`` (spec/api.md §1, concurrency)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from django.http import HttpRequest

from kivuko.errors import ChangedMeanwhile

__all__ = ["check_version", "etag", "tags_of", "wanted_version"]

_TAG = re.compile(r'"(\d{1,9})"')


def etag(lock_version: int) -> str:
    """The entity tag of a version."""
    return f'"{lock_version}"'


def wanted_version(request: HttpRequest, given: int | None, current: Callable[[], Mapping[str, object]]) -> int | None:
    """The version that a change is meant for: ``If-Match``, else ``lock_version`` of the body; None where nobody asks.

    Raises ChangedMeanwhile for a tag that never was one of a version, or when both are there and differ.
    """
    tags = tags_of(request.headers.get("If-Match")) - {"*"}
    found = [_TAG.fullmatch(tag) for tag in tags]
    numbers = {int(match[1]) for match in found if match}
    if len(tags) > 1 or len(numbers) < len(tags) or (numbers and given is not None and given not in numbers):
        raise ChangedMeanwhile(current=current())
    return next(iter(numbers), given)


def check_version(request: HttpRequest, given: int | None, version: int, current: Callable[[], Mapping[str, object]]) -> None:
    """Raises ChangedMeanwhile when the change is meant for another version than the current one."""
    wanted = wanted_version(request, given, current)
    if wanted is not None and wanted != version:
        raise ChangedMeanwhile(current=current())


def tags_of(header: str | None) -> set[str]:
    """The entity tags of a header, weak ones as they stand."""
    return {each.strip() for each in header.split(",") if each.strip()} if header else set()
