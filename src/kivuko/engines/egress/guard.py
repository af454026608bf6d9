"""Level 2 of the egress policy: every connection of a confined process is made here, outside of it (engine.md §12.3).

The process's connect, sendmsg, sendmmsg, and sendto with an address wait in the kernel. The guard reads their arguments once from the
caller's memory, decides, and makes the call itself on a duplicate of the socket. So nothing can change between check and use, whatever
the process does to its own code and memory. Adaptors notice nothing but the time it takes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import threading
from collections.abc import Callable

from kivuko.engines.egress.acts import Act, Refused, prepare_act
from kivuko.engines.egress.notifications import Notification, answer, receive, still_waiting
from kivuko.engines.egress.rules import Rules
from kivuko.engines.egress.sockaddr import SocketAddress
from kivuko.engines.sandbox.child import Child
from kivuko.engines.sandbox.libc import call
from kivuko.engines.sandbox.numbers import number

__all__ = ["EgressGuard", "guard_child"]


def _finish(listener: int, notification: Notification, socket: int, act: Act) -> None:
    try:
        answer(listener, notification, act())
    except OSError as error:
        answer(listener, notification, 0, error.errno or errno.EACCES)
    finally:
        os.close(socket)


def _finish_apart(listener: int, notification: Notification, socket: int, act: Act) -> None:
    try:
        _finish(listener, notification, socket, act)
    finally:
        os.close(listener)


class EgressGuard:
    """Answers the calls of one process until it has ended. ``listener`` belongs to the guard from here on.

    ``rules`` may be replaced at any time. ``on_refused`` is told every destination that was refused, in the guard's thread. Calls that the
    process makes before ``start`` wait.
    """

    def __init__(self, pid: int, listener: int, rules: Rules, *, on_refused: Callable[[SocketAddress], None] | None = None) -> None:
        self.rules = rules
        self._listener = listener
        self._on_refused = on_refused
        self._process = os.pidfd_open(pid)
        self._stop, self._stopper = os.pipe()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name=f"kivuko-egress-{pid}", daemon=True)

    def start(self) -> EgressGuard:
        """Begin to answer."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop answering: calls of the process that wait, and later ones, fail with ENOSYS. May be called twice."""
        self._hang_up()
        if self._thread.ident is None:
            self._release()
        else:
            self._thread.join()

    def stop(self) -> None:
        """Like ``close``, without waiting for a decision that is being made: the guard's thread lets go of everything by itself."""
        self._hang_up()
        if self._thread.ident is None:
            self._release()

    def join(self, timeout: float | None = None) -> bool:
        """Wait up to ``timeout`` seconds for the process, and the guard with it, to end. Gives whether it has."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _hang_up(self) -> None:
        with self._lock:
            if self._stopper >= 0:
                os.close(self._stopper)
                self._stopper = -1

    def _release(self) -> None:
        with self._lock:
            for descriptor in (self._listener, self._process, self._stop):
                if descriptor >= 0:
                    os.close(descriptor)
            self._listener = self._process = self._stop = -1

    def _serve(self) -> None:
        poller = select.poll()
        poller.register(self._listener, select.POLLIN)
        poller.register(self._stop, select.POLLIN)
        try:
            while True:
                events = dict(poller.poll())
                if self._stop in events or not events[self._listener] & select.POLLIN:
                    return  # closed by us, or the last thread of the process has ended
                notification = receive(self._listener)
                if notification is not None:
                    self._handle(notification)
        finally:
            self._hang_up()
            self._release()

    def _handle(self, notification: Notification) -> None:
        try:
            socket = call(number("pidfd_getfd") or 0, self._process, notification.arguments[0] & 0xFFFFFFFF, 0)
        except OSError as error:
            answer(self._listener, notification, 0, error.errno or errno.EBADF)
            return
        try:
            act = prepare_act(notification, socket, self.rules)
        except OSError as error:
            os.close(socket)
            answer(self._listener, notification, 0, error.errno or errno.EACCES)
            if isinstance(error, Refused) and self._on_refused is not None:
                self._on_refused(error.destination)
            return
        self._perform(notification, socket, act)

    def _perform(self, notification: Notification, socket: int, act: Act) -> None:
        """Make the call: here, or in a thread of its own where the socket may wait."""
        if not still_waiting(self._listener, notification):  # what was read may be another process's memory
            os.close(socket)
        elif fcntl.fcntl(socket, fcntl.F_GETFL) & os.O_NONBLOCK:
            _finish(self._listener, notification, socket, act)
        else:
            arguments = (os.dup(self._listener), notification, socket, act)
            threading.Thread(target=_finish_apart, args=arguments, name="kivuko-egress-waiting", daemon=True).start()


def guard_child(child: Child, rules: Rules, *, on_refused: Callable[[SocketAddress], None] | None = None) -> EgressGuard | None:
    """Start the guard of a process that was spawned with ``watch_connect``; None where this machine has no level 2."""
    if child.listener is None:
        return None
    listener, child.listener = child.listener, None
    return EgressGuard(child.pid, listener, rules, on_refused=on_refused).start()
