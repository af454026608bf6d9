"""The lanes of ingest as Starlette routes, for the outer app to mount."""

from __future__ import annotations

from starlette.routing import Route

from kivuko.server.lanes.ingest.inbox import InboxLane
from kivuko.server.lanes.ingest.webhook import WebhookLane

__all__ = ["ingest_routes"]


def ingest_routes(inbox: InboxLane, webhook: WebhookLane) -> list[Route]:
    """``/inbox/…`` and ``/i/…``, all methods: the lanes answer for themselves."""
    return [Route("/inbox/{rest:path}", inbox), Route("/i/{rest:path}", webhook)]
