"""The kernel's side of level 2: system calls that wait for our answer.

Source: seccomp_unotify(2), include/uapi/linux/seccomp.h. The layouts are the same on x86_64 and aarch64.
"""

from __future__ import annotations

import errno
import fcntl
import struct

from kivuko.value import value

__all__ = ["Notification", "answer", "receive", "still_waiting"]

_RECEIVE, _SEND, _ID_VALID = 0xC0502100, 0xC0182101, 0x40082102
_NOTIFICATION = struct.Struct("<QIIiIQ6Q")
_RESPONSE = struct.Struct("<QqiI")


@value
class Notification:
    """One call that waits: ``thread`` made system call ``number`` with ``arguments`` (six words)."""

    id: int
    thread: int
    number: int
    arguments: tuple[int, ...]


def receive(listener: int) -> Notification | None:
    """The next call; None when its process ended in the meantime. Raises OSError when the listener cannot be used."""
    buffer = bytearray(_NOTIFICATION.size)
    try:
        fcntl.ioctl(listener, _RECEIVE, buffer, True)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EINTR):
            return None
        raise
    identity, thread, _flags, number, _arch, _pointer, *arguments = _NOTIFICATION.unpack(buffer)
    return Notification(identity, thread, number, tuple(arguments))


def still_waiting(listener: int, notification: Notification) -> bool:
    """Whether the call still waits, so that what was read of its process belonged to it and to no later process of the same number."""
    try:
        fcntl.ioctl(listener, _ID_VALID, struct.pack("<Q", notification.id))
    except OSError:
        return False
    return True


def answer(listener: int, notification: Notification, value: int, code: int = 0) -> None:
    """End the call with ``value``, or with errno ``code``. A call that no longer waits is left."""
    response = bytearray(_RESPONSE.pack(notification.id, 0 if code else value, -code, 0))
    try:
        fcntl.ioctl(listener, _SEND, response, True)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
