"""A small assembler for the kernel's packet filter language, as far as seccomp uses it.

Source: Linux, Documentation/userspace-api/seccomp_filter.rst and include/uapi/linux/filter.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from kivuko.value import value

__all__ = [
    "ALLOW",
    "KILL_PROCESS",
    "NOTIFY",
    "PID",
    "Instruction",
    "Program",
    "assemble",
    "jump_if_equal",
    "jump_if_set",
    "load",
    "refuse",
    "ret",
]

ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000
NOTIFY = 0x7FC00000
_ERRNO = 0x00050000

PID = -1
"""Stands for the process's own id, which is known only after the fork."""

_LOAD, _JUMP_EQUAL, _JUMP_SET, _RETURN = 0x20, 0x15, 0x45, 0x06
_SIZE = 8


Instruction = tuple[int, int, int, int]
"""One instruction: code, jumps when true and false (counted in instructions), value."""


@value
class Program:
    """An assembled filter; ``pids`` are the byte offsets at which the process's own id belongs."""

    text: bytes
    pids: tuple[int, ...]

    def for_process(self, pid: int) -> bytes:
        """The filter's bytes for one process."""
        filled = bytearray(self.text)
        for offset in self.pids:
            struct.pack_into("<I", filled, offset, pid)
        return bytes(filled)

    @property
    def size(self) -> int:
        """Number of instructions; the kernel takes 4096."""
        return len(self.text) // _SIZE


def load(offset: int) -> Instruction:
    """Read 32 bits of struct seccomp_data: 0 = number, 4 = processor, 16 + 8 i = low half of argument i."""
    return _LOAD, 0, 0, offset


def jump_if_equal(value: int, true: int, false: int = 0) -> Instruction:
    """Skip ``true`` instructions if what was read is ``value``, else ``false``."""
    return _JUMP_EQUAL, true, false, value


def jump_if_set(bits: int, true: int, false: int = 0) -> Instruction:
    """Skip ``true`` instructions if what was read has one of ``bits``, else ``false``."""
    return _JUMP_SET, true, false, bits


def ret(action: int) -> Instruction:
    """End with an action."""
    return _RETURN, 0, 0, action


def refuse(errno: int) -> Instruction:
    """End with an error for the caller."""
    return ret(_ERRNO | errno)


def assemble(instructions: Iterable[Instruction]) -> Program:
    """The bytes of a filter (struct sock_filter, one after the other)."""
    listed = tuple(instructions)
    pids = tuple(index * _SIZE + 4 for index, (*_, value) in enumerate(listed) if value == PID)
    text = b"".join(struct.pack("<HBBI", code, true, false, max(value, 0)) for code, true, false, value in listed)
    return Program(text, pids)
