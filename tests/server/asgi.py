"""A client that speaks ASGI to an app, and apps to speak to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Answer", "ask", "asking", "scope_of"]


@dataclass(frozen=True)
class Answer:
    """What came back; of repeated headers ``headers`` has the last one, ``pairs`` all."""

    status: int
    pairs: list[tuple[str, str]]
    body: bytes

    @property
    def headers(self) -> Mapping[str, str]:
        """By lower-case name."""
        return dict(self.pairs)

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


def scope_of(
    method: str, path: str, headers: Mapping[str, str] | None = None, *, client: str = "127.0.0.1", scheme: str = "http"
) -> dict[str, Any]:
    """A request's head as an ASGI server gives it."""
    name, _, query = path.partition("?")
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": scheme,
        "path": name,
        "query_string": query.encode("latin-1"),
        "headers": [(key.encode("latin-1"), value.encode("latin-1")) for key, value in (headers or {}).items()],
        "client": (client, 5000),
        "server": ("127.0.0.1", 4000),
    }


async def asking(app: Any, scope: Mapping[str, Any], chunks: Iterable[bytes] = (b"",)) -> Answer:
    """One request and its answer. What comes after the last piece is a sender that waits for ever."""
    pieces = list(chunks) or [b""]
    events = [{"type": "http.request", "body": piece, "more_body": at < len(pieces) - 1} for at, piece in enumerate(pieces)]
    sent: list[Any] = []

    async def receive() -> Any:
        if not events:
            await asyncio.Event().wait()
        return events.pop(0)

    async def send(event: Any) -> None:
        sent.append(event)

    await app(scope, receive, send)
    pairs = [(name.decode().lower(), value.decode("latin-1")) for name, value in sent[0]["headers"]]
    return Answer(sent[0]["status"], pairs, b"".join(event.get("body", b"") for event in sent[1:]))


def ask(app: Any, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, **head: str) -> Answer:
    """The same in a loop of its own, for apps that keep nothing in one."""
    return asyncio.run(asking(app, scope_of(method, path, headers, **head), [body]))
