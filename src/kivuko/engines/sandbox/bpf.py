"""A small assembler for the kernel's packet filter language, as far as seccomp uses it.

Source: Linux, Documentation/userspace-api/seccomp_filter.rst and include/uapi/linux/filter.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: code, jumps when true and false (counted in instructions), value."""

    code: int
    true: int
    false: int
    value: int


@dataclass(frozen=True, slots=True)
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

    def __len__(self) -> int:
        return len(self.text) // _SIZE


def load(offset: int) -> Instruction:
    """Read 32 bits of struct seccomp_data: 0 = number, 4 = processor, 16 + 8 i = low half of argument i."""
    return Instruction(_LOAD, 0, 0, offset)


def jump_if_equal(value: int, true: int, false: int = 0) -> Instruction:
    """Skip ``true`` instructions if what was read is ``value``, else ``false``."""
    return Instruction(_JUMP_EQUAL, true, false, value)


def jump_if_set(bits: int, true: int, false: int = 0) -> Instruction:
    """Skip ``true`` instructions if what was read has one of ``bits``, else ``false``."""
    return Instruction(_JUMP_SET, true, false, bits)


def ret(action: int) -> Instruction:
    """End with an action."""
    return Instruction(_RETURN, 0, 0, action)


def refuse(errno: int) -> Instruction:
    """End with an error for the caller."""
    return ret(_ERRNO | errno)


def assemble(instructions: Iterable[Instruction]) -> Program:
    """The bytes of a filter (struct sock_filter, one after the other)."""
    listed = tuple(instructions)
    pids = tuple(index * _SIZE + 4 for index, one in enumerate(listed) if one.value == PID)
    text = b"".join(struct.pack("<HBBI", one.code, one.true, one.false, max(one.value, 0)) for one in listed)
    return Program(text, pids)
