"""Small servers on loopback: what the systems of the demos are made of."""

from __future__ import annotations

import json
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

__all__ = ["Served", "System"]


class Served:
    """A server on a free ``port`` of loopback, up inside ``with``."""

    def __init__(self, server: socketserver.TCPServer) -> None:
        self._server = server
        self.port: int = server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class System(Served):
    """A server that speaks HTTP; a subclass answers with (status, JSON value)."""

    authorization = ""

    def __init__(self) -> None:
        super().__init__(ThreadingHTTPServer(("127.0.0.1", 0), self._handler()))
        self.url = f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:
        """HTTP status and body of the answer."""
        raise NotImplementedError

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        system = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                if self.headers.get("authorization") != system.authorization:
                    status, value = 401, {"error": "sign in first"}
                else:
                    status, value = system.answer(self.command, parts.path, parse_qs(parts.query), body)
                payload = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *args: object) -> None:
                """The demo shows what Kivuko says; the servers stay quiet."""

        return Handler
