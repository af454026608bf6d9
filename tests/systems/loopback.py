"""An HTTP server on loopback around one function from request to reply."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

__all__ = ["Loopback", "Reply", "Request", "basic_credentials"]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent. Header names are lower case; ``query`` keeps order and repeated names."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as a JSON value; None when it is empty. Raises ValueError when it is something else."""
        return json.loads(self.body) if self.body else None

    def parameter(self, name: str, default: str = "") -> str:
        """The first query value of a name."""
        return next((value for key, value in self.query if key == name), default)

    @property
    def target(self) -> str:
        """Path and query in a readable form, values decoded."""
        return self.path + ("?" + "&".join(f"{key}={value}" for key, value in self.query) if self.query else "")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. ``body`` may be bytes, a text, or any JSON value; None sends no body and no content type."""

    status: int = 200
    body: Any = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    def payload(self) -> bytes:
        """The body as it goes over the wire."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Loopback:
    """A server that is up inside ``with``; ``url`` is its address and ``requests`` all it was asked, in order.

    ``fail_next(n, reply)`` answers the next n requests with ``reply``; ``latency_s`` delays every answer.
    ``connections`` counts the sockets that clients opened.
    """

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self.requests: list[Request] = []
        self.latency_s = 0.0
        self.connections = 0
        self._answer = answer
        self._failures: list[Reply] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address without a slash at the end; port 0 while the server is not up."""
        return f"http://127.0.0.1:{self._server.server_address[1] if self._server else 0}"

    @property
    def asked(self) -> list[str]:
        """The requests as ``METHOD path?query``."""
        return [f"{request.method} {request.target}" for request in self.requests]

    def fail_next(self, times: int, reply: Reply) -> None:
        """Answer the next requests with ``reply``, whatever they ask."""
        self._failures += [reply] * times

    def __enter__(self) -> Loopback:
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopping.set()
        assert self._server
        assert self._thread
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def reply_to(self, request: Request) -> Reply:
        """Log a request and answer it, one request at a time."""
        if self.latency_s:
            self._stopping.wait(self.latency_s)
        with self._lock:
            self.requests.append(request)
            return self._failures.pop(0) if self._failures else self._answer(request)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                loopback.connections += 1

            def handle_any(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                if self.headers.get("transfer-encoding", "").lower() == "chunked":
                    body = _read_chunks(self.rfile.readline, self.rfile.read)
                request = Request(
                    self.command,
                    parts.path,
                    tuple(parse_qsl(parts.query, keep_blank_values=True)),
                    {name.lower(): value for name, value in self.headers.items()},
                    body,
                )
                self.send(loopback.reply_to(request))

            def send(self, reply: Reply) -> None:
                payload = reply.payload()
                self.send_response(reply.status)
                if reply.body is not None:
                    self.send_header("content-type", reply.content_type)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.status != 204:
                    self.send_header("content-length", str(len(payload)))
                self.end_headers()
                if self.command != "HEAD" and reply.status != 204:
                    self.wfile.write(payload)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = handle_any  # noqa: N815

            def log_message(self, *args: object) -> None:
                """Tests read ``requests``; nothing is printed."""

        return Handler


def _read_chunks(read_line: Callable[[], bytes], read: Callable[[int], bytes]) -> bytes:
    parts = []
    while size := int(read_line().split(b";")[0] or b"0", 16):
        parts.append(read(size))
        read_line()
    read_line()
    return b"".join(parts)


def basic_credentials(request: Request) -> tuple[str, str] | None:
    """User and password of Basic authentication (RFC 7617), None without."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    user, _, password = base64.b64decode(token).decode().partition(":")
    return user, password
