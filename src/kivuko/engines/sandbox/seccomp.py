"""Installing a seccomp filter, with or without a listener for the calls that it hands on.

Source: seccomp(2), seccomp_unotify(2).
"""

from __future__ import annotations

import ctypes
import functools
import os
import struct

from kivuko.engines.sandbox.bpf import KILL_PROCESS, NOTIFY
from kivuko.engines.sandbox.libc import call, machine
from kivuko.engines.sandbox.numbers import number

__all__ = ["install", "knows_filters", "knows_listeners"]

_SET_MODE_FILTER, _GET_ACTION_AVAILABLE = 1, 2
_NEW_LISTENER, _WAIT_KILLABLE = 1 << 3, 1 << 5
_EINVAL = 22
_CAP_SYS_PTRACE = 1 << 19


def _knows_action(action: int) -> bool:
    if machine() is None:
        return False
    try:
        call(number("seccomp") or 0, _GET_ACTION_AVAILABLE, 0, struct.pack("<I", action))
    except OSError:
        return False
    return True


@functools.cache
def knows_filters() -> bool:
    """Whether this kernel has seccomp filters that can end a process."""
    return _knows_action(KILL_PROCESS)


def _may_look_into_children() -> bool:
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope") as yama, open("/proc/self/status") as status:
            scope = yama.read().strip()
            rights = int(status.read().split("CapEff:")[1].split()[0], 16)
    except (OSError, ValueError, IndexError):
        return True  # no Yama
    return scope in ("0", "1") or (scope == "2" and bool(rights & _CAP_SYS_PTRACE))


@functools.cache
def knows_listeners() -> bool:
    """Whether calls can be handed to a listener, and the listener may duplicate a socket of another process (Linux 5.6).

    Docker's own profile refuses pidfd_getfd without CAP_SYS_PTRACE, and Yama's ptrace_scope of 2 or 3 forbids looking into children.
    """
    if not _knows_action(NOTIFY) or not _may_look_into_children():
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
        call(number("pidfd_getfd") or 0, -1, 0, 0)
    except OSError as error:
        return error.errno == 9  # EBADF: the call exists and is permitted; ENOSYS and EPERM say that it does not or is not
    return False


def _set_filter(flags: int, text: bytes) -> int:
    buffer = ctypes.create_string_buffer(text, len(text))
    header = struct.pack("<HxxxxxxQ", len(text) // 8, ctypes.addressof(buffer))
    return call(number("seccomp") or 0, _SET_MODE_FILTER, flags, header)


def install(text: bytes, listen: bool) -> int | None:
    """Install a filter for the calling process. With ``listen``: the descriptor of its listener. Raises OSError."""
    if not listen:
        _set_filter(0, text)
        return None
    try:
        return _set_filter(_NEW_LISTENER | _WAIT_KILLABLE, text)
    except OSError as error:
        if error.errno != _EINVAL:
            raise
        return _set_filter(_NEW_LISTENER, text)  # before Linux 5.19 a signal could interrupt a call that was being answered
