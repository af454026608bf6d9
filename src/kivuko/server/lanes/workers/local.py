"""The conversation with the worker in the same process."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kivuko.server.lanes.workers.conversation import Conversation
from kivuko.server.lanes.workers.desk import Desk
from kivuko.server.lanes.workers.identity import Identity

__all__ = ["local_conversation"]


def local_conversation(
    desk: Desk, worker_id: str, push: Callable[[str, str, Mapping[str, object]], None], *, inline: bool = True
) -> Conversation:
    """A conversation that needs no token: ``kivuko.worker.link_local.LocalLink(lambda push: local_conversation(desk, name, push))``."""

    def pushed(topic: str, event: str, payload: Mapping[str, object], join_ref: str | None = None) -> None:
        if event != "phx_close":
            push(topic, event, payload)

    return Conversation(desk, pushed, Identity(worker_id), inline=inline)
