"""System calls for which Python has no function, through ctypes."""

from __future__ import annotations

import ctypes
import functools
import os
import sys

__all__ = ["LINUX", "call", "machine", "prctl"]

LINUX = sys.platform.startswith("linux")

_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}

Argument = int | bytes | ctypes.Array[ctypes.c_char] | None


@functools.cache
def machine() -> str | None:
    """``x86_64`` or ``aarch64``; None where the sandbox knows no system call numbers (other processors, 32-bit Pythons)."""
    if ctypes.sizeof(ctypes.c_void_p) != 8 or sys.byteorder != "little":
        return None
    return _MACHINES.get(os.uname().machine.lower()) if hasattr(os, "uname") else None


@functools.cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    library.prctl.restype = ctypes.c_int
    return library


def _word(argument: Argument) -> object:
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


def call(number: int, *arguments: Argument) -> int:
    """Make system call ``number`` and give its result. Buffers pass as pointers. Raises OSError with the kernel's errno."""
    result: int = _library().syscall(ctypes.c_long(number), *map(_word, arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def prctl(option: int, *arguments: int) -> int:
    """Call prctl(2) with up to four numbers; the missing ones are 0. Raises OSError."""
    padded = (*arguments, 0, 0, 0, 0)[:4]
    result: int = _library().prctl(ctypes.c_int(option), *map(ctypes.c_ulong, padded))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
