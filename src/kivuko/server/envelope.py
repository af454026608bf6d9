"""What is around every request and answer, of lanes and bridge alike: the request's id, the real client, security headers, counts, and an
answer in the house's form when something fails that nobody foresaw.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import orjson
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kivuko.server.headers import request_id_of
from kivuko.server.proxies import Proxies

__all__ = ["SECURITY_HEADERS", "Envelope", "Observer", "lane_of"]

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    (b"cache-control", b"no-store"),
)
"""Headers that every answer has unless it brings its own (a page its policy of contents, a file how long it may be kept)."""

_HSTS = (b"strict-transport-security", b"max-age=31536000")
_LANES = {"inbox": "inbox", "i": "webhook", "worker": "worker", "health": "health", "ready": "health", "metrics": "health"}

_log = structlog.get_logger(__name__)


class Observer(Protocol):
    """Hears of every request, in the event loop."""

    def __call__(self, lane: str, status: int, seconds: float) -> None:
        """``seconds`` is the time to the beginning of the answer."""


def lane_of(path: str) -> str:
    """The lane that a path belongs to, for counts and logs: inbox, webhook, worker, live, health, or else api or page."""
    first, _, rest = path.lstrip("/").partition("/")
    if first == "api":
        return "live" if rest.endswith(("/events", "/log/stream")) else "api"
    return _LANES.get(first, "page")


class Envelope:
    """The outermost ASGI app. ``observe`` hears of every request; ``now_s`` is a monotonic clock."""

    def __init__(self, app: ASGIApp, proxies: Proxies, observe: Observer, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._proxies = proxies
        self._observe = observe
        self._now_s = now_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, whatever happens."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        seen = self._proxies.seen(scope)
        if scope["type"] == "websocket":
            await self._app(seen, receive, send)
            return
        request_id = request_id_of(seen["headers"])
        # Whoever comes after reads the one id here, be it a lane or Django.
        headers = [pair for pair in seen["headers"] if pair[0] != b"x-request-id"] + [(b"x-request-id", request_id.encode("ascii"))]
        answer = _Answer(send, request_id, seen["scheme"] == "https")
        began = self._now_s()
        lane = lane_of(seen["path"])
        answer.on_start = lambda status: self._observe(lane, status, self._now_s() - began)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._app({**seen, "headers": headers}, receive, answer.send)
        except Exception:  # noqa: BLE001  # the boundary of a request: whoever asked gets an answer, the log gets the rest
            _log.exception("a request failed", lane=lane, method=seen["method"])
            await answer.fail()
        # Of inboxes and webhooks the address is a secret, of others the query may hold one.
        if lane in ("api", "page"):
            _log.info("request", method=seen["method"], path=seen["path"], status=answer.status, seconds=round(self._now_s() - began, 4))


class _Answer:
    """One answer on its way out."""

    def __init__(self, send: Send, request_id: str, secure: bool) -> None:
        self._send = send
        self._request_id = request_id
        self._secure = secure
        self.status = 0
        self.on_start: Callable[[int], None] = lambda status: None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.on_start(self.status)
            message = {**message, "headers": self._completed(message.get("headers", ()))}
        await self._send(message)

    async def fail(self) -> None:
        """500 as a problem, if nothing was sent yet; else the connection is cut by whoever serves it."""
        if self.status:
            return
        content = {
            "type": "about:blank",
            "status": 500,
            "title": "Something went wrong in Kivuko",
            "code": "internal_error",
            "detail": "The request was not carried out because of a fault that is not the request's.",
            "action": "Try again; if it goes on, tell the administrator the request_id: the log has the rest.",
            "request_id": self._request_id,
        }
        text = orjson.dumps(content)
        head = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(text)).encode("ascii"))]
        await self.send({"type": "http.response.start", "status": 500, "headers": head})
        await self.send({"type": "http.response.body", "body": text})

    def _completed(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        given = {name.lower() for name, _ in headers}
        missing = [pair for pair in SECURITY_HEADERS if pair[0] not in given]
        if self._secure and _HSTS[0] not in given:
            missing.append(_HSTS)
        if b"x-request-id" not in given:
            missing.append((b"x-request-id", self._request_id.encode("ascii")))
        return [*headers, *missing]
