"""The loopback API that the challenges run against: a stand-in for the public hosts of OpenFn's walkthrough, so that they work offline."""

from __future__ import annotations

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import urlsplit

from kivuko.errors import InputError

__all__ = ["DEFAULT_PORT", "ROUTES", "ChallengeApi", "answers_at"]

DEFAULT_PORT = 4117
_MARK = "kivuko-challenges"

ROUTES: dict[str, tuple[int, object]] = {
    "/users": (
        200,
        [
            {"id": 1, "name": "Leanne Graham", "email": "leanne@example.org"},
            {"id": 2, "name": "Ervin Howell", "email": "ervin@example.org"},
        ],
    ),
    "/posts": (
        200,
        [
            {"userId": 1, "id": 1, "title": "one"},
            {"userId": 1, "id": 2, "title": "two"},
            {"userId": 2, "id": 3, "title": "three"},
        ],
    ),
    "/posts/1/comments": (
        200,
        [
            {"postId": 1, "id": 1, "name": "n1", "email": "e1@example.org", "body": "b"},
            {"postId": 1, "id": 2, "name": "n2", "email": "e2@example.org", "body": "b"},
        ],
    ),
    "/posts/180": (404, {}),
    "/v3/covid-19/countries": (
        200,
        [
            {"country": "Kenya", "continent": "Africa", "cases": 1},
            {"country": "Chad", "continent": "Africa", "cases": 2},
            {"country": "Nepal", "continent": "Asia", "cases": 3},
        ],
    ),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = _MARK

    def do_GET(self) -> None:
        path = urlsplit(self.path).path.rstrip("/") or "/"
        status, body = ROUTES.get(path, (404, {"error": f"There is no {path} here", "routes": sorted(ROUTES)}))
        if path == "/":
            status, body = 200, {"name": _MARK, "routes": sorted(ROUTES)}
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing: the person watches the jobs, not the server."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing when a client goes away in the middle of an answer."""


class ChallengeApi:
    """The API on 127.0.0.1, served by a thread from ``with`` to the end of the block. ``port`` 0 takes any free one."""

    def __init__(self, port: int = DEFAULT_PORT) -> None:
        try:
            self._server = _Server(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError) as problem:
            raise InputError(
                f"Port {port} of this machine cannot be used: {problem}", fix="Give another one: --port 0 takes any that is free."
            ) from problem
        self._thread = threading.Thread(target=self._server.serve_forever, name="challenges", daemon=True)

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://localhost:{self._server.server_port}"

    def wait(self) -> None:
        """Serve until the thread ends, which an interrupt by the keyboard makes unnecessary."""
        self._thread.join()

    def __enter__(self) -> ChallengeApi:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


def answers_at(port: int) -> bool:
    """Whether a challenges API (of another process) answers on ``port``."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/")
        found = json.loads(connection.getresponse().read(10_000))
    except (OSError, ValueError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return isinstance(found, dict) and found.get("name") == _MARK
