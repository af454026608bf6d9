"""Frames of Phoenix channels, serializer V2 (worker-protocol §3): the worker's half."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from kivuko.worker.link import Payload

__all__ = ["Frame", "push_frame", "read_frame"]

_PUSH, _REPLY = 0, 1


@dataclass(frozen=True, slots=True)
class Frame:
    """A message of the server; ``payload`` is a mapping, or for an answer (``event`` is ``phx_reply``) its status and response."""

    join_ref: str | None
    ref: str | None
    topic: str
    event: str
    payload: Payload


def push_frame(join_ref: str | None, ref: str, topic: str, event: str, payload: Payload) -> str | bytes:
    """A message as a text; with bodies in it as bytes, so that nothing has to be escaped."""
    bodies: list[bytes] = []
    head = _without_bodies(payload, bodies)
    if not bodies:
        return orjson.dumps([join_ref, ref, topic, event, head]).decode("utf-8")
    texts = [(text or "").encode("utf-8") for text in (join_ref, ref, topic, event)]
    written = orjson.dumps(head)
    parts = [bytes([_PUSH, *map(len, texts)]), *texts, struct.pack(">I", len(written)), written]
    for body in bodies:
        parts += [struct.pack(">I", len(body)), body]
    return b"".join(parts)


def read_frame(data: str | bytes) -> Frame:
    """A message of the server. Raises ValueError for what is none."""
    if isinstance(data, bytes):
        return _read_binary(data)
    join_ref, ref, topic, event, payload = orjson.loads(data)
    return Frame(join_ref, ref, topic, event, payload if isinstance(payload, dict) else {})


def _read_binary(data: bytes) -> Frame:
    if len(data) < 5 or data[0] != _REPLY:
        raise ValueError("a binary frame of the server is no reply")
    texts, at = [], 5
    for size in data[1:5]:
        texts.append(data[at : at + size].decode("utf-8"))
        at += size
    join_ref, ref, topic, status = texts
    return Frame(join_ref or None, ref, topic, "phx_reply", {"status": status, "response": data[at:]})


def _without_bodies(value: object, bodies: list[bytes]) -> object:
    """The value with ``{"$body": n}`` in the place of the n-th body."""
    if isinstance(value, bytes):
        bodies.append(value)
        return {"$body": len(bodies) - 1}
    if isinstance(value, Mapping):
        return {key: _without_bodies(item, bodies) for key, item in value.items()}
    return [_without_bodies(item, bodies) for item in value] if isinstance(value, list | tuple) else value
