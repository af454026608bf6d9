"""Who may open a stream: by Bearer token, session or a one-minute ticket, and only a member of the project."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette.requests import HTTPConnection

from kivuko.errors import RequestRefused, Unauthenticated, UnknownAddress
from kivuko.records import Id

__all__ = ["Admission", "unknown"]

A = TypeVar("A")


@dataclass(frozen=True)
class Admission(Generic[A]):
    """``actor_of`` finds who asks by token or session, ``redeem`` by ticket (good once); ``may_see`` looks at memberships (in a thread)."""

    actor_of: Callable[[HTTPConnection], Awaitable[A | None]]
    redeem: Callable[[str], A | None]
    may_see: Callable[[A, Id], Awaitable[bool]]

    async def actor(self, request: HTTPConnection) -> A:
        """Who asks. Raises Unauthenticated."""
        ticket = request.query_params.get("ticket")
        actor = self.redeem(ticket) if ticket else await self.actor_of(request)
        if actor is None:
            raise Unauthenticated("a stream needs a token, a session or a ticket", fix="POST /api/v1/stream_tickets gives a ticket.")
        return actor

    async def check(self, actor: A, project_id: Id) -> None:
        """Raises UnknownAddress for somebody else's project: it answers as one that does not exist."""
        if not await self.may_see(actor, project_id):
            raise unknown()


def unknown() -> RequestRefused:
    """The refusal of what does not exist, or not for who asks."""
    return UnknownAddress("there is no such project or attempt", fix="Check the id, and whether you are a member of its project.")
