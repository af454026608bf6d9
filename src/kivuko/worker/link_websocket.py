"""The link over the network: one websocket, read by a thread of its own, connected again whenever it goes."""

from __future__ import annotations

import base64
import hmac
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit, urlunsplit

import orjson
import structlog
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI, WebSocketException
from websockets.sync.client import ClientConnection, connect

from kivuko.errors import InputError, LinkDown
from kivuko.worker.link import OnChange, OnPush, Payload, Reply
from kivuko.worker.link_frames import Frame, push_frame, read_frame

__all__ = ["ServerAddress", "WebsocketLink"]

_WAIT_AT_MOST_S = 10.0
_PING_S = 5.0
_OPEN_WITHIN_S = 10.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ServerAddress:
    """Where the server is and what lets the worker in. ``url``: ``ws://host:4000/worker``, also without the path, also http(s)."""

    url: str
    worker_id: str
    secret: str = field(repr=False)
    version: str = ""

    def socket_url(self) -> str:
        """The address to connect to, with a token of now. Raises InputError for what is no address."""
        parts = urlsplit(self.url if "://" in self.url else f"ws://{self.url}")
        scheme = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}.get(parts.scheme)
        if scheme is None or not parts.hostname:
            raise InputError(f"{self.url!r} is no address of a server", fix="Write ws://host:4000/worker, or wss:// behind TLS.")
        path = parts.path.rstrip("/") or "/worker"
        query = {"token": self._token(), "api_version": "1.2", "worker_version": self.version, "vsn": "2.0.0"}
        return urlunsplit((scheme, parts.netloc, f"{path}/websocket", urlencode(query), ""))

    def _token(self) -> str:
        """What OpenFn's worker signs (worker-protocol §6.1), RFC 7515: by hand, because PyJWT warns of secrets that OpenFn allows."""
        claims = {"worker_id": self.worker_id, "iat": int(time.time()), "iss": "urn:openfn:worker"}
        signed = b".".join((_base64url(b'{"alg":"HS256"}'), _base64url(orjson.dumps(claims))))
        return (signed + b"." + _base64url(hmac.digest(self.secret.encode("utf-8"), signed, "sha256"))).decode("ascii")


class WebsocketLink:
    """A link to a server elsewhere. ``retry_s`` is the first wait between two tries to connect; it grows up to ten seconds."""

    def __init__(self, address: ServerAddress, *, retry_s: float = 1.0) -> None:
        address.socket_url()
        self._address = address
        self._retry_s = retry_s
        self._guard = threading.Lock()
        self._sending = threading.Lock()
        self._connection: ClientConnection | None = None
        self._waiting: dict[str, Future[Reply]] = {}
        self._join_refs: dict[str, str] = {}
        self._ref = 0
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._problem = "not connected yet"

    @property
    def problem(self) -> str:
        """Why there is no connection; empty when there is one."""
        return self._problem

    def listen(self, on_push: OnPush, on_change: OnChange) -> None:
        """Connects, and again and again, on a thread of its own."""
        self._thread = threading.Thread(target=self._run, args=(on_push, on_change), name="worker-link", daemon=True)
        self._thread.start()

    def push(self, topic: str, event: str, payload: Payload) -> Future[Reply]:
        """Sends a message."""
        future: Future[Reply] = Future()
        # The order of references is the order on the wire: nobody else may send in between.
        with self._sending:
            with self._guard:
                connection = self._connection
                if connection is not None:
                    self._ref += 1
                    ref = str(self._ref)
                    if event == "phx_join":
                        self._join_refs[topic] = ref
                    join_ref = self._join_refs.get(topic)
                    if event == "phx_leave":
                        self._join_refs.pop(topic, None)
                    self._waiting[ref] = future
            if connection is None:
                future.set_exception(LinkDown(self._problem))
                return future
            try:
                connection.send(push_frame(join_ref, ref, topic, event, payload))
            except (WebSocketException, OSError) as problem:
                self._lost(ref, problem)
        return future

    def close(self) -> None:
        """Ends the connection and its thread."""
        self._closing.set()
        connection = self._connection
        if connection is not None:
            connection.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _lost(self, ref: str, problem: Exception) -> None:
        with self._guard:
            future = self._waiting.pop(ref, None)
        if future is not None:
            future.set_exception(LinkDown(str(problem) or "the connection is closed"))

    def _run(self, on_push: OnPush, on_change: OnChange) -> None:
        tries = 0
        while not self._closing.is_set():
            began = time.monotonic()
            was_up = self._connected(on_push, on_change)
            if was_up and time.monotonic() - began >= self._retry_s:
                tries = 0
                continue
            # One that goes as soon as it is there is as good as none: nobody shall be asked without a pause.
            tries += 1
            if not was_up:
                _log.warning("the server cannot be reached", problem=self._problem)
            self._closing.wait(min(tries * self._retry_s, _WAIT_AT_MOST_S))

    def _connected(self, on_push: OnPush, on_change: OnChange) -> bool:
        """Holds one connection as long as it lasts; whether there was one."""
        was_up = False
        try:
            with connect(
                self._address.socket_url(),
                compression=None,
                max_size=None,
                open_timeout=_OPEN_WITHIN_S,
                ping_interval=_PING_S,
                ping_timeout=_PING_S,
                proxy=None,
            ) as connection:
                was_up = True
                self._up(connection)
                on_change(True)
                self._read(connection, on_push)
        except InvalidStatus as refusal:
            refused = refusal.response.status_code == 403
            self._problem = "the server refuses this worker: is WORKER_SECRET the same?" if refused else str(refusal)
        except (InvalidHandshake, InvalidURI, OSError, TimeoutError, WebSocketException) as problem:
            self._problem = str(problem) or type(problem).__name__
        if was_up:
            self._drop()
            on_change(False)
        return was_up

    def _up(self, connection: ClientConnection) -> None:
        with self._guard:
            self._join_refs.clear()
            self._connection = connection
        self._problem = ""
        if self._closing.is_set():
            connection.close()

    def _read(self, connection: ClientConnection, on_push: OnPush) -> None:
        try:
            for data in connection:
                self._heard(read_frame(data), on_push)
        except (WebSocketException, OSError) as problem:
            self._problem = str(problem)
        except ValueError as problem:
            self._problem = f"the server sent what is no frame: {problem}"
            connection.close()

    def _heard(self, frame: Frame, on_push: OnPush) -> None:
        if frame.event != "phx_reply":
            if frame.event not in ("phx_close", "phx_error"):
                on_push(frame.topic, frame.event, frame.payload)
            return
        with self._guard:
            future = self._waiting.pop(frame.ref or "", None)
        if future is not None:
            future.set_result(Reply("ok" if frame.payload.get("status") == "ok" else "error", frame.payload.get("response")))

    def _drop(self) -> None:
        with self._guard:
            self._connection = None
            waiting, self._waiting = self._waiting, {}
        self._problem = self._problem or "the connection is closed"
        for future in waiting.values():
            future.set_exception(LinkDown(self._problem))


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
