"""The websocket of workers: ``/worker/websocket``, in the server's event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future

import structlog
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from kivuko.errors import Unauthenticated
from kivuko.platform.execution import WorkerTokens
from kivuko.server.lanes.workers.conversation import Conversation
from kivuko.server.lanes.workers.desk import Desk
from kivuko.server.lanes.workers.identity import Identity
from kivuko.server.lanes.workers.phoenix import Frame, push_frame, read_frame, reply_frame
from kivuko.server.lanes.workers.reply import Reply, refused

__all__ = ["SOCKET_PATH", "WorkerSocket", "worker_socket"]

SOCKET_PATH = "/worker/websocket"
_API_VERSION = "1.2"
_READ_HERE_UP_TO = 100_000
_UNANSWERED_AT_MOST = 256
_SILENT_AT_MOST_S = 100.0
"""OpenFn's worker beats every 30 s, Kivuko's every second: who is silent for so long is gone."""

_log = structlog.get_logger(__name__)


class WorkerSocket:
    """An ASGI application. A worker that has no token of ours is refused with 403 (worker-protocol §2)."""

    def __init__(self, desk: Desk, tokens: WorkerTokens) -> None:
        self._desk = desk
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection to its end."""
        socket = WebSocket(scope, receive, send)
        asked = socket.query_params
        # The web server logs the address it was asked for, and the token in it is good for ever.
        scope["query_string"] = b"token=****"
        try:
            worker_id = self._tokens.read(asked.get("token", ""))
        except Unauthenticated as refusal:
            _log.warning("a worker was refused", problem=refusal.message, address=socket.client.host if socket.client else None)
            await socket.close()
            return
        if asked.get("vsn", "2.0.0").split(".")[0] != "2":
            _log.warning("a worker speaks another serializer than Phoenix V2", vsn=asked.get("vsn"), worker=worker_id)
            await socket.close()
            return
        if asked.get("api_version", _API_VERSION) != _API_VERSION:
            _log.info("a worker has another version of the protocol", api_version=asked.get("api_version"), worker=worker_id)
        await socket.accept()
        await _Connection(self._desk, Identity(worker_id), socket).serve()


def worker_socket(desk: Desk, tokens: WorkerTokens) -> WebSocketRoute:
    """The route of the lane."""
    return WebSocketRoute(SOCKET_PATH, WorkerSocket(desk, tokens))


class _Connection:
    def __init__(self, desk: Desk, identity: Identity, socket: WebSocket) -> None:
        self._desk = desk
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self._conversation = Conversation(desk, self._push, identity)
        self._room = asyncio.Semaphore(_UNANSWERED_AT_MOST)
        self._outgoing: deque[str | bytes] = deque()
        self._something = asyncio.Event()

    async def serve(self) -> None:
        sender = asyncio.create_task(self._send())
        try:
            await self._read()
        finally:
            self._conversation.closed()
            sender.cancel()

    async def _read(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_SILENT_AT_MOST_S):
                    message = await self._socket.receive()
            except TimeoutError:
                await self._socket.close(1001)
                return
            if message["type"] == "websocket.disconnect":
                return
            data = message.get("text")
            data = message.get("bytes") if data is None else data
            if data is None:
                continue
            frame = (
                read_frame(data) if len(data) <= _READ_HERE_UP_TO else await self._loop.run_in_executor(self._desk.pool, read_frame, data)
            )
            if frame is not None:
                await self._room.acquire()
                self._handle(frame)

    def _handle(self, frame: Frame) -> None:
        if not frame.readable:
            self._answer(frame, refused("unreadable"))
            return
        future = self._conversation.receive(frame.topic, frame.join_ref, frame.event, frame.payload)
        future.add_done_callback(lambda done: self._answered(frame, done))

    def _answered(self, frame: Frame, done: Future[Reply]) -> None:
        self._answer(frame, done.result())

    def _answer(self, frame: Frame, reply: Reply) -> None:
        """On whatever thread the answer comes from."""
        frames = [reply_frame(frame, reply)]
        if frame.event == "phx_leave":
            frames.append(push_frame(frame.join_ref, frame.topic, "phx_close", {}))
        self._put(frames, answered=1)

    def _push(self, topic: str, event: str, payload: Mapping[str, object], join_ref: str | None = None) -> None:
        self._put([push_frame(join_ref, topic, event, payload)])

    def _put(self, frames: list[str | bytes], answered: int = 0) -> None:
        self._outgoing.extend(frames)
        try:
            self._loop.call_soon_threadsafe(self._wake, answered)
        except RuntimeError:
            # The loop is closed: the server has stopped, and nobody is there to be answered.
            self._outgoing.clear()

    def _wake(self, answered: int) -> None:
        if answered:
            self._room.release()
        self._something.set()

    async def _send(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            while self._outgoing:
                data = self._outgoing.popleft()
                kind = "text" if isinstance(data, str) else "bytes"
                await self._socket.send({"type": "websocket.send", kind: data})
