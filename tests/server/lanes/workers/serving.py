"""The lane on a port of loopback: uvicorn in a thread, as the server's process mounts it."""

from __future__ import annotations

import socket
import threading
import time
from functools import cache
from types import TracebackType

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from kivuko.platform.execution import WorkerTokens
from kivuko.server.lanes.workers import worker_socket
from server.lanes.workers.worlds import World

SECRET = "a secret that workers and server share"


class WebServer:
    """One uvicorn, which serves whatever ``app`` is."""

    def __init__(self, port: int = 0) -> None:
        self.app: ASGIApp | None = None
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.port = int(self._socket.getsockname()[1])
        config = uvicorn.Config(
            self._serve, interface="asgi3", ws="websockets-sansio", ws_max_size=64 << 20, log_config=None, lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < deadline, "uvicorn has not started"
            time.sleep(0.005)  # paced: polls with a deadline

    def stop(self) -> None:
        """Ends it, and all connections."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join()
        self._socket.close()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@cache
def _shared() -> WebServer:
    return WebServer()


class Serving:
    """Serves a world's desk; ``own``: by a server that can be stopped and started again on the same port."""

    def __init__(self, world: World, *, own: bool = False) -> None:
        self._app = Starlette(routes=[worker_socket(world.desk, WorkerTokens(SECRET))])
        self._own = own
        self._server = WebServer() if own else _shared()
        self._server.app = self._app
        self.port = self._server.port

    @property
    def url(self) -> str:
        """What a worker is given."""
        return f"ws://127.0.0.1:{self.port}/worker"

    def __enter__(self) -> Serving:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._own:
            self._server.stop()

    def stop(self) -> None:
        """Ends the server and all connections."""
        self._server.stop()

    def again(self) -> None:
        """A server on the same port, after ``stop``."""
        self._server = WebServer(self.port)
        self._server.app = self._app
