"""Giving up rights: user, capabilities, and set-uid programs.

Source: capabilities(7), prctl(2).
"""

from __future__ import annotations

import os
import struct

from kivuko.engines.sandbox.libc import call, prctl
from kivuko.engines.sandbox.numbers import number

__all__ = ["die_with_parent", "drop_capabilities", "forbid_new_privileges"]

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 1, 4, 24, 38, 47
_AMBIENT_CLEAR_ALL = 4
_SIGKILL = 9
_VERSION_3 = 0x20080522
_EINVAL, _EPERM = 22, 1


def _drop_bounding_set() -> None:
    for capability in range(64):
        try:
            prctl(_PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno == _EINVAL:
                return  # past the last capability of this kernel
            if error.errno == _EPERM:
                return  # not privileged: there is nothing to lose, and no_new_privs keeps it so
            raise


def drop_capabilities(user: tuple[int, int] | None) -> None:
    """Lose every capability, and become ``user`` (uid, gid) when the caller is root. Raises OSError."""
    _drop_bounding_set()
    if user is not None and os.getuid() == 0:
        uid, gid = user
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    try:
        prctl(_PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL)
    except OSError as error:
        if error.errno != _EINVAL:  # before Linux 4.3 there are none
            raise
    call(number("capset") or 0, struct.pack("<Ii", _VERSION_3, 0), bytes(24))
    prctl(_PR_SET_DUMPABLE, 1)  # a change of user clears it; the parent must be able to take the listener


def forbid_new_privileges() -> None:
    """set-uid programs gain nothing from here on. Raises OSError."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def die_with_parent() -> None:
    """The kernel kills this process when the thread that started it ends. A change of user would undo it: call this afterwards."""
    prctl(_PR_SET_PDEATHSIG, _SIGKILL)
