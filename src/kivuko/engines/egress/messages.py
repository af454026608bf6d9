"""What sendto, sendmsg and sendmmsg were asked to send, read once from the caller's memory (struct msghdr, struct mmsghdr)."""

from __future__ import annotations

import errno
import os
import struct

from kivuko.engines.egress.memory import read_memory
from kivuko.engines.egress.sockaddr import MAX_SIZE
from kivuko.value import value

__all__ = ["LENGTH_OFFSET", "MAX_BYTES", "MMSGHDR_SIZE", "Message", "read_message", "read_name"]

MMSGHDR_SIZE = 64
LENGTH_OFFSET = 56
"""Of msg_len in struct mmsghdr."""

_MSGHDR = struct.Struct("<QI4xQQQQi4x")
_VECTOR = struct.Struct("<QQ")
_MAX_VECTORS = 1024
MAX_BYTES = 1 << 20  # of a stream the rest is sent by the caller's next call; no datagram is longer than 64 KB


@value
class Message:
    """One message: the raw address it names (or none) and its bytes."""

    name: bytes | None
    data: bytes


def _error(code: int) -> OSError:
    return OSError(code, os.strerror(code))


def read_name(thread: int, pointer: int, size: int) -> bytes:
    """A raw socket address. Raises OSError: EINVAL for a size that the kernel refuses, EFAULT."""
    size = size & 0xFFFFFFFF
    if size > MAX_SIZE:
        raise _error(errno.EINVAL)
    return read_memory(thread, pointer, size)


def read_message(thread: int, pointer: int) -> Message:
    """A message by its struct msghdr. Raises OSError; EPERM when it carries control data, which no adaptor's library sends."""
    name, name_size, vectors, count, _control, control_size, _flags = _MSGHDR.unpack(read_memory(thread, pointer, _MSGHDR.size))
    if control_size:
        raise _error(errno.EPERM)
    if count > _MAX_VECTORS:
        raise _error(errno.EMSGSIZE)
    data = bytearray()
    raw = read_memory(thread, vectors, count * _VECTOR.size)
    for base, size in _VECTOR.iter_unpack(raw):
        data += read_memory(thread, base, min(size, MAX_BYTES - len(data)))
    return Message(read_name(thread, name, name_size) if name and name_size else None, bytes(data))
