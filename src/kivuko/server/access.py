"""Who asks a lane: somebody with a token or a session, or somebody on this machine. Looked up on threads, remembered shortly."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Generic, TypeVar

from starlette.requests import HTTPConnection

from kivuko.server.proxies import comes_from_here

__all__ = ["Access", "bearer_of"]

A = TypeVar("A")

_GOOD_FOR_S = 1.0
_MOST_ENTRIES = 1_000


@dataclass(frozen=True)
class _Known(Generic[A]):
    actor: A | None
    until_s: float


class Access(Generic[A]):
    """Finds actors. ``by_token`` and ``by_session`` look them up (on threads); a token that was revoked is dead within a second."""

    def __init__(
        self,
        by_token: Callable[[str], A | None],
        by_session: Callable[[str], A | None],
        *,
        session_cookie: str = "sessionid",
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._by_token = by_token
        self._by_session = by_session
        self._session_cookie = session_cookie
        self._now_s = now_s
        self._known: OrderedDict[bytes, _Known[A]] = OrderedDict()

    async def actor(self, request: HTTPConnection) -> A | None:
        """Who asks, by Bearer token or session cookie; None when neither is good."""
        token = bearer_of(request)
        if token is not None:
            return await self._look_up("token", token, self._by_token)
        session = request.cookies.get(self._session_cookie)
        return await self._look_up("session", session, self._by_session) if session else None

    async def may_look_inside(self, request: HTTPConnection) -> bool:
        """Whether details of the process may be shown: to this machine, and to whoever has a token or session."""
        return comes_from_here(request.scope) or await self.actor(request) is not None

    async def _look_up(self, kind: str, secret: str, find: Callable[[str], A | None]) -> A | None:
        key = sha256(f"{kind}\0{secret}".encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(key)
        if known and known.until_s > self._now_s():
            return known.actor
        actor = await asyncio.to_thread(find, secret)
        self._known[key] = _Known(actor, self._now_s() + _GOOD_FOR_S)
        self._known.move_to_end(key)
        if len(self._known) > _MOST_ENTRIES:
            self._known.popitem(last=False)
        return actor


def bearer_of(request: HTTPConnection) -> str | None:
    """The token of ``Authorization: Bearer …``."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None
