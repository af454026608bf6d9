"""Reading and writing the memory of a process whose call waits (process_vm_readv(2))."""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from kivuko.engines.sandbox.libc import call
from kivuko.engines.sandbox.numbers import number

__all__ = ["read_memory", "write_memory"]

_VECTOR = struct.Struct("<QQ")


def _transfer(name: str, thread: int, address: int, buffer: ctypes.Array[ctypes.c_char], size: int) -> None:
    ours = _VECTOR.pack(ctypes.addressof(buffer), size)
    moved = call(number(name) or 0, thread, ours, 1, _VECTOR.pack(address, size), 1, 0)
    if moved != size:
        raise OSError(errno.EFAULT, os.strerror(errno.EFAULT))


def read_memory(thread: int, address: int, size: int) -> bytes:
    """``size`` bytes at ``address``. Raises OSError (EFAULT) when not all of them can be read."""
    if size == 0:
        return b""
    buffer = ctypes.create_string_buffer(size)
    _transfer("process_vm_readv", thread, address, buffer, size)
    return buffer.raw


def write_memory(thread: int, address: int, data: bytes) -> None:
    """Put ``data`` at ``address``. Raises OSError (EFAULT)."""
    _transfer("process_vm_writev", thread, address, ctypes.create_string_buffer(data, len(data)), len(data))
