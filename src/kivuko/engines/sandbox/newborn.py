"""What a forked child does until it becomes the confined program."""

from __future__ import annotations

import fcntl
import gc
import os
import signal
from collections.abc import Mapping, Sequence
from typing import NoReturn

from kivuko.engines.sandbox import landlock, privileges, seccomp
from kivuko.engines.sandbox.confinement import Layer
from kivuko.engines.sandbox.limits import apply_limits
from kivuko.engines.sandbox.preparation import Preparation

__all__ = ["FAILED", "LISTENER", "become"]

LISTENER = b"L"
"""Message to the parent: the number of the listener's descriptor follows; the child waits until the parent has taken it."""

FAILED = b"E"
"""Message to the parent: the stage, the errno and the error's text follow, parted by zero bytes."""


def _own_signals(preparation: Preparation) -> None:
    signal.set_wakeup_fd(-1)
    for one in preparation.default_signals:
        if one not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(one, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _arrange(descriptors: Mapping[int, int], keep: Sequence[int]) -> list[int]:
    """Put each descriptor in its place and let no other pass ``execve``. Gives the new numbers of those to ``keep`` until then."""
    floor = max(descriptors) + 1
    moved = {child: fcntl.fcntl(parent, fcntl.F_DUPFD_CLOEXEC, floor) for child, parent in descriptors.items()}
    kept = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, floor) for one in keep]
    for child, parent in moved.items():
        os.dup2(parent, child, inheritable=True)
    for name in os.listdir("/dev/fd"):
        if int(name) not in descriptors:
            try:
                os.set_inheritable(int(name), False)
            except OSError:  # the descriptor by which the folder was read
                continue
    return kept


def _confine(preparation: Preparation, tell: int, wait: int, ruleset: int | None) -> None:
    active = preparation.active
    if ruleset is not None:
        landlock.add_own_process(ruleset)
    if Layer.PRIVILEGES in active:
        privileges.drop_capabilities(preparation.user)
    if Layer.PARENT_DEATH in active:
        privileges.die_with_parent()
    if active & {Layer.PRIVILEGES, Layer.LANDLOCK, Layer.SECCOMP}:
        privileges.forbid_new_privileges()
    apply_limits(preparation.bounds)
    if ruleset is not None:
        landlock.restrict_self(ruleset)
    if preparation.filter is not None:
        listener = seccomp.install(preparation.filter.for_process(os.getpid()), preparation.listen)
        if listener is not None:
            os.set_inheritable(listener, False)
            os.write(tell, LISTENER + str(listener).encode())
            os.read(wait, 1)


def become(preparation: Preparation, descriptors: Mapping[int, int], tell: int, wait: int, parent: int) -> NoReturn:
    """Confine the calling process and turn it into the program; on any failure end with status 126.

    The parent (a process id) reads from the pipe ``tell`` what goes on, end of file meaning success, and answers on ``wait``.
    """
    stage = "start"
    try:
        gc.disable()
        os.setsid()
        stage = "descriptors"
        kept = [tell, wait] if preparation.ruleset is None else [tell, wait, preparation.ruleset]
        tell, wait, *ruleset = _arrange(descriptors, kept)
        os.chdir("/")
        stage = "confine"
        _confine(preparation, tell, wait, ruleset[0] if ruleset else None)
        if os.getppid() != parent:
            os._exit(126)  # the parent ended before the tie to it was made
        stage = "execute"
        _own_signals(preparation)
        os.execve(preparation.program, preparation.argv, preparation.env)
    except OSError as error:
        os.write(tell, b"\0".join((FAILED, stage.encode(), str(error.errno or 0).encode(), str(error).encode())))
    finally:
        os._exit(126)
