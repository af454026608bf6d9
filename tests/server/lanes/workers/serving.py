"""The lane on a port of loopback: uvicorn in a thread, as the server's process mounts it."""

from __future__ import annotations

import socket
import threading
from types import TracebackType

import uvicorn
from starlette.applications import Starlette

from kivuko.platform.execution import WorkerTokens
from kivuko.server.lanes.workers import worker_socket
from server.lanes.workers.worlds import World

SECRET = "a secret that workers and server share"


class Serving:
    """Serves a world's desk until it is left. ``drop`` ends all connections as a crash would, ``again`` serves on the same port."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._start()

    @property
    def url(self) -> str:
        """What a worker is given."""
        return f"ws://127.0.0.1:{self.port}/worker"

    def __enter__(self) -> Serving:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        self._socket.close()

    def stop(self) -> None:
        """Ends the server and all connections."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join()

    def again(self) -> None:
        """A server on the same port, after ``stop``."""
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", self.port))
        self._start()

    def _start(self) -> None:
        app = Starlette(routes=[worker_socket(self._world.desk, WorkerTokens(SECRET))])
        config = uvicorn.Config(app, ws="websockets-sansio", ws_max_size=64 << 20, log_config=None, lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        self._world.until(lambda: self._server.started)
