"""OpenFn's worker as tests play it: the frames of a capture over a real websocket, waiting for each reply as it does."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

import jwt
from websockets.sync.client import connect

from server.lanes.workers.serving import SECRET, Serving

QUEUE = "worker:queue"


def token(secret: str = SECRET, **claims: object) -> str:
    """A worker's token, as OpenFn's worker signs it: no type in the header, no expiry."""
    told = {"worker_id": "fuzzy-cats-run", "iat": int(time.time()), "iss": "urn:openfn:worker", **claims}
    return jwt.encode({key: value for key, value in told.items() if value is not None}, secret, algorithm="HS256", headers={"typ": None})


def address(serving: Serving, signed: str, **query: str) -> str:
    """Where OpenFn's worker connects to."""
    asked = {"token": signed, "api_version": "1.2", "worker_version": "1.25.0", "vsn": "2.0.0", **query}
    return f"{serving.url}/websocket?{urlencode(asked)}"


class ForeignWorker:
    """One websocket. References begin where those of the captures do; ``heard`` are pushes of the server."""

    def __init__(self, serving: Serving, *, capacity: int = 1, signed: str = "") -> None:
        self._opening = connect(address(serving, signed or token()), proxy=None, compression=None, max_size=None)
        self._socket = self._opening.__enter__()
        self._ref = 5
        self._refs: dict[str, str] = {}
        self.heard: list[list[Any]] = []
        self.enter(capacity)

    def __enter__(self) -> ForeignWorker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._socket.close()
        self._opening.__exit__(None, None, None)

    def enter(self, capacity: int = 1) -> None:
        """Joins the queue."""
        assert self.say(QUEUE, "phx_join", {"capacity": capacity, "queues": {"manual>*": capacity}}) == ("ok", {})

    def send(self, topic: str, event: str, payload: Mapping[str, Any], *, join_ref: str | None = "") -> str:
        """Sends a frame; its reference."""
        self._ref += 1
        ref = str(self._ref)
        if event == "phx_join":
            self._refs[topic] = ref
        own = self._refs.get(topic) if join_ref == "" else join_ref
        self._socket.send(json.dumps([own, ref, topic, event, payload]))
        return ref

    def say(self, topic: str, event: str, payload: Mapping[str, Any], **options: Any) -> tuple[str, Any]:
        """Sends a frame and waits for its reply: status and response."""
        ref = self.send(topic, event, payload, **options)
        while True:
            frame = self.receive()
            if frame[1] == ref and frame[3] == "phx_reply":
                return frame[4]["status"], frame[4]["response"]
            self.heard.append(frame)

    def receive(self) -> list[Any]:
        """The next frame; a binary reply as if it were a text one with bytes."""
        data = self._socket.recv(20)
        if isinstance(data, str):
            found: list[Any] = json.loads(data)
            return found
        assert data[0] == 1
        texts, at = [], 5
        for size in data[1:5]:
            texts.append(data[at : at + size].decode())
            at += size
        join_ref, ref, topic, status = texts
        return [join_ref, ref, topic, "phx_reply", {"status": status, "response": data[at:]}]

    def claim(self) -> dict[str, Any]:
        """Claims one; waits until there is one."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            status, response = self.say(QUEUE, "claim", {"demand": 1, "worker_name": "probe-1", "queues": ["manual", "*"]})
            assert status == "ok"
            if response["runs"]:
                (run,) = response["runs"]
                return dict(run)
        raise AssertionError("nothing to claim")
