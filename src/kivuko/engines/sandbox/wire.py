"""Messages between a caller with threads and its fork server: a length, a marshalled value, and descriptors.

marshal and not pickle or JSON: both ends are the same Python, the values are plain, and it needs no import.
"""

from __future__ import annotations

import array
import marshal
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any

__all__ = ["receive", "send"]

_MAX_DESCRIPTORS = 64
_HEAD = struct.Struct("<I")


def send(link: socket.socket, value: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send one message. Raises OSError."""
    body = marshal.dumps(value)
    data = _HEAD.pack(len(body)) + body
    sent = socket.send_fds(link, [data], list(descriptors)) if descriptors else link.send(data)
    link.sendall(data[sent:])


def _received(link: socket.socket, size: int) -> tuple[bytes, list[int]]:
    """Up to ``size`` bytes with the descriptors that came along; these are closed on ``execve`` from the first moment on."""
    space = socket.CMSG_SPACE(_MAX_DESCRIPTORS * 4)
    data, extras, _, _ = link.recvmsg(size, space, getattr(socket, "MSG_CMSG_CLOEXEC", 0))
    descriptors = array.array("i")
    for level, kind, payload in extras:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(payload[: len(payload) - len(payload) % descriptors.itemsize])
    for one in descriptors:
        os.set_inheritable(one, False)
    return data, list(descriptors)


def receive(link: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """One message and its descriptors, which now belong to the caller. Raises EOFError when the other end is gone."""
    head, descriptors = _received(link, _HEAD.size)
    while len(head) < _HEAD.size:
        more = link.recv(_HEAD.size - len(head))
        if not more:
            raise EOFError
        head += more
    (length,) = _HEAD.unpack(head)
    parts = bytearray()
    while len(parts) < length:
        chunk, more_descriptors = _received(link, length - len(parts))
        if not chunk:
            raise EOFError
        parts += chunk
        descriptors += more_descriptors
    message: dict[str, Any] = marshal.loads(bytes(parts))
    return message, descriptors
