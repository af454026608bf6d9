"""``POST /inbox`` without more: the inbox of the only project, as the microservice had it (requirements §4.2)."""

from __future__ import annotations

from dataclasses import replace

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from kivuko.server.lanes.ingest.authentication import api_key
from kivuko.server.lanes.ingest.configuration import ConfigurationSource, Inbox, Webhook

__all__ = ["KeyedSource", "alias_routes"]


class _Alias:
    """Sends a request on to the address that it stands for."""

    def __init__(self, inbox: ASGIApp, secret: str) -> None:
        self._inbox = inbox
        self._path = f"/inbox/{secret}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._inbox({**scope, "path": self._path, "raw_path": self._path.encode("ascii")}, receive, send)


def alias_routes(inbox: ASGIApp, secret: str) -> list[Route]:
    """``/inbox`` and ``/inbox/`` for the inbox with this secret; to be mounted before the lane's own routes."""
    alias = _Alias(inbox, secret)
    return [Route("/inbox", alias), Route("/inbox/", alias)]


class KeyedSource:
    """A ``ConfigurationSource`` whose inboxes also take this key in ``x-api-key``, and so ask for one."""

    def __init__(self, source: ConfigurationSource, key: str) -> None:
        self._source = source
        self._method = api_key("key of the server", key)

    def read_inbox(self, secret: str) -> Inbox | None:
        """The inbox with this secret. Raises what the source raises."""
        found = self._source.read_inbox(secret)
        if found is None:
            return None
        methods = (*found.entrance.auth_methods, self._method)
        return replace(found, entrance=replace(found.entrance, auth_methods=methods))

    def read_webhook(self, address: str) -> Webhook | None:
        """The webhook at this address. Raises what the source raises."""
        return self._source.read_webhook(address)
