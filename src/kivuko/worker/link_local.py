"""The link of a worker that lives in the server's process: messages are handed over, nothing is written or read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Protocol

from kivuko.errors import LinkDown
from kivuko.worker.link import OnChange, OnPush, Payload, Reply

__all__ = ["LocalLink", "Peer"]


class Peer(Protocol):
    """The server's side of the connection."""

    def receive(self, topic: str, join_ref: str | None, event: str, payload: Payload) -> Future[Reply]:
        """Handles a message."""

    def closed(self) -> None:
        """The worker is gone."""


ServerPush = Callable[[str, str, Mapping[str, object]], None]


class LocalLink:
    """A link without a wire. ``connect`` makes the server's side of it, given what hears its pushes."""

    def __init__(self, connect: Callable[[ServerPush], Peer]) -> None:
        self._connect = connect
        self._peer: Peer | None = None

    def push(self, topic: str, event: str, payload: Payload) -> Future[Reply]:
        """Hands a message over."""
        peer = self._peer
        if peer is not None:
            return peer.receive(topic, None, event, payload)
        down: Future[Reply] = Future()
        down.set_exception(LinkDown())
        return down

    def listen(self, on_push: OnPush, on_change: OnChange) -> None:
        """Connects, at once and for good."""
        self._peer = self._connect(on_push)
        on_change(True)

    def close(self) -> None:
        """Ends the connection."""
        peer, self._peer = self._peer, None
        if peer is not None:
            peer.closed()
