"""``q``: the ids that a text leads to, as one more filter of a list."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar

from kivuko.errors import ValidationFailed
from kivuko.platform.api.context import platform
from kivuko.records import Id

__all__ = ["log_finder", "message_finder", "searched"]

T = TypeVar("T")

_BATCH = 500
_MOST_BATCHES = 20

Found = Callable[[Id | None], Iterator[Id]]


def message_finder(project_id: Id, text: str) -> Found:
    """Messages that hold a text, newest first. Raises ValidationFailed where nothing is indexed."""
    return lambda before: _finder().messages(project_id, text, before)


def log_finder(project_id: Id, text: str) -> Found:
    """Runs whose log holds a text, newest first. Raises ValidationFailed where nothing is indexed."""
    return lambda before: _finder().runs(project_id, text, before)


def searched(found: Found | None, query: Any, before: Id | None, at_most: int, read: Callable[[Any], Sequence[T]]) -> list[T]:
    """The rows that pass the other filters of ``query`` too; ``read`` lists the rows of a query, whose ``ids`` are set here.

    A text that stands everywhere is looked for in the newest 10 000 places.
    """
    if found is None:
        return list(read(query))
    rows: list[T] = []
    places = found(before)
    for _ in range(_MOST_BATCHES):
        ids: Collection[Id] = list(islice(places, _BATCH))
        if not ids:
            break
        rows.extend(read(replace(query, ids=ids)))
        if len(rows) >= at_most:
            break
    return rows[:at_most]


def _finder() -> Any:
    finder = platform().finder
    if finder is None:
        raise ValidationFailed(errors={"q": ["nothing is indexed on this server"]})
    return finder
