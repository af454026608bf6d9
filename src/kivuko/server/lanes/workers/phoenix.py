"""Frames of Phoenix channels, serializer V2 (worker-protocol §3): the server's half.

A text frame is ``[join_ref, ref, topic, event, payload]``. Binary frames are replies with a body (kind 1), and from Kivuko's own workers
pushes with bodies (kind 0): a JSON head in which ``{"$body": n}`` stands for the n-th body, then the bodies themselves, unescaped.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kivuko.server.lanes.workers.json_text import read_json, write_json
from kivuko.server.lanes.workers.payloads import Payload
from kivuko.server.lanes.workers.reply import Reply

__all__ = ["Frame", "push_frame", "read_frame", "reply_frame"]

_PUSH, _REPLY = 0, 1
_HEAD = re.compile(r'\s*\[\s*(null|"[^"\\]*")\s*,\s*(null|"[^"\\]*")\s*,\s*("[^"\\]*")\s*,\s*("[^"\\]*")\s*,')
_UNREADABLE: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Frame:
    """A message of a worker. ``readable`` is False when its payload is not JSON: then it is empty."""

    join_ref: str | None
    ref: str | None
    topic: str
    event: str
    payload: Payload
    readable: bool = True


def read_frame(data: str | bytes) -> Frame | None:
    """The message in a frame; None for what is no frame at all, which nobody could be answered."""
    return _read_binary(data) if isinstance(data, bytes) else _read_text(data)


def reply_frame(frame: Frame, reply: Reply) -> str | bytes:
    """The answer to a message: binary for a body."""
    response = reply.response
    if isinstance(response, bytes):
        parts = [(text or "").encode("utf-8") for text in (frame.join_ref, frame.ref, frame.topic, reply.status)]
        return bytes([_REPLY, *map(len, parts)]) + b"".join(parts) + response
    answer = {"status": reply.status, "response": response}
    return write_json([frame.join_ref, frame.ref, frame.topic, "phx_reply", answer]).decode("utf-8")


def push_frame(join_ref: str | None, topic: str, event: str, payload: Mapping[str, object]) -> str:
    """A message of the server's own. One that closes a topic bears the reference of the join twice, as Phoenix writes it."""
    ref = join_ref if event == "phx_close" else None
    return write_json([join_ref, ref, topic, event, payload]).decode("utf-8")


def _read_text(data: str) -> Frame | None:
    try:
        found = read_json(data)
    except ValueError:
        head = _HEAD.match(data)
        if head is None:
            return None
        join_ref, ref, topic, event = (None if part == "null" else part[1:-1] for part in head.groups())
        return Frame(join_ref, ref, topic or "", event or "", _UNREADABLE, readable=False)
    if not isinstance(found, list) or len(found) != 5:
        return None
    join_ref, ref, topic, event, payload = found
    if not (isinstance(topic, str) and isinstance(event, str) and _is_ref(join_ref) and _is_ref(ref)):
        return None
    return Frame(join_ref, ref, topic, event, payload if isinstance(payload, dict) else {})


def _read_binary(data: bytes) -> Frame | None:
    if len(data) < 5 or data[0] != _PUSH:
        return None
    texts, at = [], 5
    for size in data[1:5]:
        texts.append(data[at : at + size].decode("utf-8", "replace"))
        at += size
    join_ref, ref, topic, event = texts
    try:
        payload = _with_bodies(memoryview(data)[at:])
    except (ValueError, struct.error, IndexError, TypeError):
        return Frame(join_ref or None, ref or None, topic, event, _UNREADABLE, readable=False)
    return Frame(join_ref or None, ref or None, topic, event, payload)


def _with_bodies(data: memoryview) -> dict[str, Any]:
    """The payload of a push with bodies: length of the head, head, for each body its length and its bytes."""
    parts, at = [], 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        if at + 4 + size > len(data):
            raise ValueError("the frame is cut off")
        parts.append(bytes(data[at + 4 : at + 4 + size]))
        at += 4 + size
    head, *bodies = parts
    filled = _filled(read_json(head), bodies)
    return filled if isinstance(filled, dict) else {}


def _filled(value: object, bodies: list[bytes]) -> object:
    if isinstance(value, dict):
        if len(value) == 1 and isinstance(at := value.get("$body"), int):
            return bodies[at]
        return {key: _filled(item, bodies) for key, item in value.items()}
    return [_filled(item, bodies) for item in value] if isinstance(value, list) else value


def _is_ref(found: object) -> bool:
    return found is None or isinstance(found, str)
