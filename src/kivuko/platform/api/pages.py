"""Pages of lists: ``limit``, an opaque ``cursor``, newest first, no totals unless asked for (``count=true``, counted up to 10 000)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from pydantic import Field

from kivuko.errors import MalformedCursor
from kivuko.platform.api.wire import Wire
from kivuko.records import Id

__all__ = [
    "MOST_COUNTED",
    "ListQuery",
    "Page",
    "count_up_to",
    "cursor_id",
    "cursor_key",
    "cursor_number",
    "id_page",
    "next_key",
    "next_number",
    "orm_page",
]

T = TypeVar("T")

MOST_COUNTED = 10_000


class ListQuery(Wire):
    """What every list takes."""

    limit: Annotated[int, Field(ge=1, le=200, description="How many items at most.")] = 50
    cursor: Annotated[str | None, Field(description="`next_cursor` of the page before.")] = None
    count: Annotated[bool, Field(description="Also count, up to 10 000.")] = False


class Page(Wire, Generic[T]):
    """A page of a list. ``count`` stands there only when it was asked for."""

    items: list[T]
    next_cursor: str | None = None
    count: int | None = Field(default=None, exclude_if=lambda value: value is None)
    count_capped: bool | None = Field(default=None, exclude_if=lambda value: value is None)


def cursor_id(cursor: str | None) -> Id | None:
    """The key that a cursor stands for. Raises MalformedCursor."""
    return None if cursor is None else Id(_decoded(cursor, 16))


def cursor_key(cursor: str, length: int) -> bytes:
    """The key of so many bytes that a cursor stands for. Raises MalformedCursor."""
    return _decoded(cursor, length)


def next_key(key: bytes) -> str:
    """The cursor of a list after this key."""
    return _encoded(key)


def cursor_number(cursor: str | None) -> int:
    """The number that a cursor of a log stands for, 0 for none. Raises MalformedCursor."""
    return 0 if cursor is None else int.from_bytes(_decoded(cursor, 8), "big")


def next_number(number: int) -> str:
    """The cursor of a log after this line."""
    return _encoded(number.to_bytes(8, "big"))


def id_page(found: Sequence[T], limit: int, key: Callable[[T], Id]) -> tuple[Sequence[T], str | None]:
    """What belongs on the page, and the cursor of the next one: ``found`` are ``limit`` + 1 rows where there are as many."""
    if len(found) <= limit:
        return found, None
    return found[:limit], _encoded(key(found[limit - 1]))


def orm_page(rows: Any, query: ListQuery) -> tuple[Sequence[Any], str | None]:
    """A page of a Django query set, by id, newest first."""
    before = cursor_id(query.cursor)
    asked = rows.filter(id__lt=before) if before else rows
    return id_page(list(asked.order_by("-id")[: query.limit + 1]), query.limit, lambda row: row.id)


def count_up_to(wanted: bool, count: Callable[[int], int]) -> dict[str, Any]:
    """``count`` and ``count_capped`` of a page, if they are wanted; ``count(at_most)`` counts."""
    if not wanted:
        return {}
    found = count(MOST_COUNTED + 1)
    return {"count": min(found, MOST_COUNTED), "count_capped": found > MOST_COUNTED}


def _encoded(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def _decoded(cursor: str, length: int) -> bytes:
    try:
        found = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedCursor() from error
    if len(found) != length:
        raise MalformedCursor()
    return found
