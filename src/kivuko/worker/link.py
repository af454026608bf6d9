"""The worker's connection to a server, whatever carries it: the messages of the worker protocol, pushed and answered.

Payloads are the wire's (worker-protocol §8), except that bodies are ``bytes`` of JSON on this side. ``kivuko.worker.link_local`` stays in
the process, ``kivuko.worker.link_websocket`` crosses the network; one conformance suite holds for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal, Protocol

__all__ = ["QUEUE", "Link", "OnChange", "OnPush", "Reply", "run_topic"]

QUEUE = "worker:queue"
"""The topic of claims and heartbeats."""

Payload = Mapping[str, object]

OnPush = Callable[[str, str, Payload], None]
"""Hears what the server sends by itself: topic, event, payload."""

OnChange = Callable[[bool], None]
"""Hears that the connection is up (True) or down."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The server's answer; of anything that changes records it means: committed.

    ``response`` is of JSON values, or bytes where a body was asked for. An error's is a mapping with ``reason`` or ``errors``.
    """

    status: Literal["ok", "error"]
    response: object

    @property
    def ok(self) -> bool:
        """Whether the server did what was asked."""
        return self.status == "ok"

    @property
    def reason(self) -> str:
        """Why the server refused, as one word where it has one (``stale_claim``, ``not_found``, ``unauthorized`` …), else empty."""
        found = self.response.get("reason") if isinstance(self.response, Mapping) else None
        return found if isinstance(found, str) else ""


class Link(Protocol):
    """A connection that comes back by itself. After it was down, joins have to be pushed again: ``on_change(True)`` says when."""

    def push(self, topic: str, event: str, payload: Payload) -> Future[Reply]:
        """Sends a message, from any thread; messages of one topic keep their order.

        Joining and leaving are pushes of ``phx_join`` and ``phx_leave``. The future raises LinkDown when the connection goes before the
        answer comes (the server may have taken the message all the same), at once when there is none.
        """

    def listen(self, on_push: OnPush, on_change: OnChange) -> None:
        """Names who hears what the server pushes and how the connection is, and connects. Called once; both are called on any thread."""

    def close(self) -> None:
        """Ends the connection. What waits for an answer gets LinkDown."""


def run_topic(attempt_id: str) -> str:
    """The topic of an Attempt, by its id as text."""
    return f"run:{attempt_id}"
