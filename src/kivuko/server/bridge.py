"""The bridge: everything that no lane answers goes to Django, called synchronously in threads that live long (server-and-data §2).

One hop, so database connections persist with their threads. It buffers; what streams is a lane.
"""

from __future__ import annotations

import asyncio
import contextvars
import io
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from kivuko.errors import HeadTooLarge, RecordsUnavailable, RequestRefused, ShuttingDown
from kivuko.server.answers import problem
from kivuko.server.headers import MOST_HEAD_BYTES, request_id_of
from kivuko.server.lanes.ingest import Receiving
from kivuko.server.lanes.ingest.receiving import Spool, receive_body

__all__ = ["Bridge", "Wsgi"]

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
"""A WSGI application (PEP 3333)."""

_WAITING_PER_THREAD = 8
_HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"upgrade"})


@dataclass
class _Reply:
    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


class Bridge:
    """The ASGI app in front of a WSGI application. ``close`` waits for what is under way.

    Only so many requests are let in as threads can answer soon; the bodies of the others stay with their senders.
    """

    def __init__(self, application: Wsgi, *, threads: int, body_limit_bytes: int, folder: Path | None = None) -> None:
        self._application = application
        self._pool = ThreadPoolExecutor(threads, "web")
        self._turns = asyncio.Semaphore(threads * _WAITING_PER_THREAD)
        self._body_limit_bytes = body_limit_bytes
        self._receiving = Receiving(folder)
        self._closed = False

    def close(self) -> None:
        """Refuses what comes later and waits for the threads."""
        self._closed = True
        self._pool.shutdown(wait=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            # A websocket that no lane takes: refusing it is closing it.
            await send({"type": "websocket.close", "code": 4404})
            return
        try:
            async with self._turns:
                reply = await self._reply(scope, receive)
        except (RequestRefused, RecordsUnavailable) as error:
            await problem(error, request_id_of(scope["headers"]))(scope, receive, send)
            return
        except ClientDisconnect:
            return
        length = [] if any(name == b"content-length" for name, _ in reply.headers) else [(b"content-length", b"%d" % len(reply.body))]
        await send({"type": "http.response.start", "status": reply.status, "headers": [*reply.headers, *length]})
        await send({"type": "http.response.body", "body": reply.body})

    async def _reply(self, scope: Scope, receive: Receive) -> _Reply:
        if self._closed:
            raise ShuttingDown(retry_after_s=5)
        head_bytes = sum(len(name) + len(value) for name, value in scope["headers"])
        if head_bytes + len(scope["path"]) + len(scope["query_string"]) > MOST_HEAD_BYTES:
            raise HeadTooLarge()
        with Spool(self._receiving.folder) as spool:
            await receive_body(scope["headers"], receive, spool, self._body_limit_bytes, self._receiving)
            environ = _environ(scope, spool.read())
        # The thread logs and traces as part of this request.
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._pool, context.run, _call, self._application, environ)


def _call(application: Wsgi, environ: dict[str, Any]) -> _Reply:
    reply = _Reply()
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], None]:
        reply.status = int(status[:3])
        pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        reply.headers = [pair for pair in pairs if pair[0] not in _HOP_BY_HOP]
        return written.append

    answer = application(environ, start_response)
    try:
        reply.body = b"".join([*written, *answer])
    finally:
        # Django gives its connections back and tells that the request has ended.
        close = getattr(answer, "close", None)
        if close:
            close()
    return reply


def _environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """The request as PEP 3333 has it. The body is inflated already, so it comes without its encoding."""
    server = scope.get("server") or ("localhost", 80)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 80),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0] if scope.get("client") else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        # Names with an underscore would be the same as those with a hyphen: whoever sends them means to deceive.
        if "_" in name or name in ("content-length", "content-encoding", "transfer-encoding"):
            continue
        key = "CONTENT_TYPE" if name == "content-type" else f"HTTP_{name.upper().replace('-', '_')}"
        joint = "; " if name == "cookie" else ","
        environ[key] = f"{environ[key]}{joint}{value}" if key in environ else value
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ
