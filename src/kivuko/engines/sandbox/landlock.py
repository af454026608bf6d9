"""Landlock: which files a process may read and execute (none may be written), no TCP bind, no signals out of the sandbox.

Source: Linux, Documentation/userspace-api/landlock.rst and include/uapi/linux/landlock.h. Rights that a kernel does not know are left out.
"""

from __future__ import annotations

import functools
import os
import stat
import struct
from collections.abc import Iterable

from kivuko.engines.sandbox.libc import call, machine
from kivuko.engines.sandbox.numbers import number

__all__ = ["abi", "add_own_process", "open_ruleset", "restrict_self"]

_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_FILE_RIGHTS = _EXECUTE | _READ_FILE
_FS_RIGHTS_OF_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_NET_BIND_TCP = 1 << 0
_SCOPE_ABSTRACT_SOCKETS, _SCOPE_SIGNALS = 1 << 0, 1 << 1
_RULE_PATH_BENEATH = 1
_VERSION_FLAG = 1


@functools.cache
def abi() -> int:
    """The kernel's landlock version; 0 where there is none, or where a container refuses it."""
    create = number("landlock_create_ruleset") if machine() else None
    if create is None:
        return 0
    try:
        return call(create, None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def _attributes(version: int, unix_sockets: bool) -> bytes:
    files = _FS_RIGHTS_OF_ABI[min(version, 5)]
    scopes = _SCOPE_SIGNALS if unix_sockets else _SCOPE_SIGNALS | _SCOPE_ABSTRACT_SOCKETS
    if version < 4:
        return struct.pack("<Q", files)
    if version < 6:
        return struct.pack("<QQ", files, _NET_BIND_TCP)
    return struct.pack("<QQQ", files, _NET_BIND_TCP, scopes)


def _grant(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what does not exist, or what the caller itself cannot reach, needs no permission
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _FILE_RIGHTS
        call(number("landlock_add_rule") or 0, ruleset, _RULE_PATH_BENEATH, struct.pack("<Qi", rights, place), 0)
    finally:
        os.close(place)


def open_ruleset(readable: Iterable[str], executable: Iterable[str], unix_sockets: bool) -> int:
    """A descriptor of a ruleset that permits reading and executing the given paths and nothing else. Raises OSError."""
    attributes = _attributes(abi(), unix_sockets)
    ruleset = call(number("landlock_create_ruleset") or 0, attributes, len(attributes), 0)
    os.set_inheritable(ruleset, False)
    for path in readable:
        _grant(ruleset, path, _READ_FILE | _READ_DIR)
    for path in executable:
        _grant(ruleset, path, _READ_FILE | _READ_DIR | _EXECUTE)
    return ruleset


def add_own_process(ruleset: int) -> None:
    """Permit reading /proc/self, which is a folder of its own for each process: to be called after the fork."""
    _grant(ruleset, "/proc/self", _READ_FILE | _READ_DIR)


def restrict_self(ruleset: int) -> None:
    """Confine the calling thread and all that it starts; no_new_privs must be set. Raises OSError."""
    call(number("landlock_restrict_self") or 0, ruleset, 0)
