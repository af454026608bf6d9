"""The door of both lanes: who sends, from where, and whether they may come in. Nobody is refused by what is out of date."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from starlette.types import Scope

from kivuko.errors import HeadTooLarge, RequestRefused, Unauthenticated, UnknownAddress
from kivuko.server.headers import MOST_HEAD_BYTES, header
from kivuko.server.lanes.ingest.authentication import Verdict, authenticate
from kivuko.server.lanes.ingest.configuration import Entrance

__all__ = ["Sender", "check_head", "let_in", "sender_of", "unread_headers"]

V = TypeVar("V")

_UNREAD_BYTES = 64 * 1024


@dataclass(frozen=True)
class Sender:
    """What the head of a request says."""

    method: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    ip: str | None


def sender_of(scope: Scope) -> Sender:
    """The head of a request."""
    client = scope.get("client")
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return Sender(scope["method"], path, scope["query_string"], list(scope["headers"]), client[0] if client else None)


def check_head(sender: Sender) -> None:
    """Raises HeadTooLarge for more than 64 KiB of address and headers."""
    size_bytes = len(sender.path) + len(sender.query) + sum(len(name) + len(value) for name, value in sender.headers)
    if size_bytes > MOST_HEAD_BYTES:
        raise HeadTooLarge()


async def let_in(
    find: Callable[[bool], Awaitable[V | None]], entrance_of: Callable[[V], Entrance], check: Callable[[V], None], sender: Sender
) -> tuple[V, Verdict]:
    """What listens at an address, once authenticated. ``find(fresh)`` looks it up; ``check`` raises when it takes nothing.

    A refusal counts only when it still stands after a fresh look. Raises RequestRefused.
    """
    check_head(sender)
    try:
        return _judge(await find(False), entrance_of, check, sender)
    except RequestRefused:
        return _judge(await find(True), entrance_of, check, sender)


def _judge(found: V | None, entrance_of: Callable[[V], Entrance], check: Callable[[V], None], sender: Sender) -> tuple[V, Verdict]:
    if found is None:
        raise UnknownAddress()
    verdict = authenticate(sender.headers, entrance_of(found).auth_methods)
    if not verdict.allowed:
        raise Unauthenticated(presented=verdict.presented)
    check(found)
    return found, verdict


def unread_headers(sender: Sender) -> dict[str, str]:
    """For an answer before the body was read: a large one is not worth reading, so the connection ends."""
    length = header(sender.headers, b"content-length") or "0"
    large = not length.isdigit() or len(length) > 9 or int(length) > _UNREAD_BYTES
    return {"connection": "close"} if large or header(sender.headers, b"transfer-encoding") else {}
