"""The calls that a guard makes for a confined process: each is read and judged at once, and performed later.

Every function takes the waiting call, a duplicate of its socket and the rules, and gives an ``Act`` that makes the call and returns its
value. Both may raise OSError, whose errno is the caller's answer; a refusal by the policy is ``Refused``.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable

from kivuko.engines.egress.memory import read_memory, write_memory
from kivuko.engines.egress.messages import LENGTH_OFFSET, MAX_BYTES, MMSGHDR_SIZE, Message, read_message, read_name
from kivuko.engines.egress.notifications import Notification
from kivuko.engines.egress.rules import Rules
from kivuko.engines.egress.sockaddr import AF_NETLINK, AF_UNSPEC, SocketAddress, parse_address
from kivuko.engines.sandbox.libc import call
from kivuko.engines.sandbox.numbers import number

__all__ = ["Act", "Refused", "prepare_act"]

Act = Callable[[], int]

_MSG_NOSIGNAL = 0x4000
_MAX_MESSAGES = 64  # of one sendmmsg; the caller's next call sends the rest


class Refused(OSError):
    """The policy does not permit this destination."""

    def __init__(self, destination: SocketAddress) -> None:
        super().__init__(errno.EACCES, os.strerror(errno.EACCES))
        self.destination = destination


def _judge(raw: bytes, rules: Rules) -> SocketAddress:
    destination = parse_address(raw)
    if destination.address is not None:
        if not rules.permits(destination.address, destination.port):
            raise Refused(destination)
    elif destination.family == AF_NETLINK:
        if raw[4:8] != bytes(4):  # 0 = the kernel, whom getaddrinfo asks for the machine's addresses
            raise Refused(destination)
    elif destination.family != AF_UNSPEC:
        raise Refused(destination)
    return destination


def _judge_message(name: bytes | None, rules: Rules) -> None:
    """As ``_judge``; but where a message names AF_UNSPEC, the kernel reads an IPv4 address (udp_sendmsg)."""
    if name is not None and _judge(name, rules).family == AF_UNSPEC:
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))


def _send(socket: int, message: Message, flags: int) -> int:
    name = message.name
    length = 0 if name is None else len(name)
    return call(number("sendto") or 0, socket, message.data, len(message.data), flags | _MSG_NOSIGNAL, name, length)


def _connect(notification: Notification, socket: int, rules: Rules) -> Act:
    _, pointer, size, *_ = notification.arguments
    raw = read_name(notification.thread, pointer, size)
    _judge(raw, rules)  # AF_UNSPEC only ends a connection
    return lambda: call(number("connect") or 0, socket, raw, len(raw))


def _sendto(notification: Notification, socket: int, rules: Rules) -> Act:
    _, pointer, size, flags, name_pointer, name_size = notification.arguments
    name = read_name(notification.thread, name_pointer, name_size)
    _judge_message(name, rules)
    message = Message(name, read_memory(notification.thread, pointer, min(size, MAX_BYTES)))
    return lambda: _send(socket, message, flags)


def _sendmsg(notification: Notification, socket: int, rules: Rules) -> Act:
    _, pointer, flags, *_ = notification.arguments
    message = read_message(notification.thread, pointer)
    _judge_message(message.name, rules)
    return lambda: _send(socket, message, flags)


def _read_messages(notification: Notification, rules: Rules) -> list[Message]:
    """As many of the messages as may be sent at once: up to the first that is refused, unless that is the very first."""
    _, pointer, count, *_ = notification.arguments
    messages: list[Message] = []
    for place in range(min(count & 0xFFFFFFFF, _MAX_MESSAGES)):
        try:
            message = read_message(notification.thread, pointer + place * MMSGHDR_SIZE)
            _judge_message(message.name, rules)
        except OSError:
            if not messages:
                raise
            break
        messages.append(message)
        if sum(len(one.data) for one in messages) >= MAX_BYTES:
            break
    return messages


def _sendmmsg(notification: Notification, socket: int, rules: Rules) -> Act:
    _, pointer, _, flags, *_ = notification.arguments
    messages = _read_messages(notification, rules)

    def act() -> int:
        for place, message in enumerate(messages):
            try:
                sent = _send(socket, message, flags)
            except OSError:
                if place == 0:
                    raise
                return place
            write_memory(notification.thread, pointer + place * MMSGHDR_SIZE + LENGTH_OFFSET, struct.pack("<I", sent))
        return len(messages)

    return act


_ACTS = {"connect": _connect, "sendto": _sendto, "sendmsg": _sendmsg, "sendmmsg": _sendmmsg}


def prepare_act(notification: Notification, socket: int, rules: Rules) -> Act:
    """Read and judge a waiting call. Raises OSError; ENOSYS for a call that no filter should have handed on."""
    for name, prepare in _ACTS.items():
        if number(name) == notification.number:
            return prepare(notification, socket, rules)
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
