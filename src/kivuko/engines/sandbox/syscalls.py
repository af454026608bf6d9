"""Which system calls a confined process may make: the rules behind the seccomp filter (engine.md §11.1, §12.3).

A list of refusals, not of permissions: Node and V8 use new calls from version to version, and what is dangerous is better known than what
is needed. Beyond the list of the design it refuses what landlock does not cover on older kernels: changing modes, owners and attributes of
files, truncating, and signals by fcntl, sigqueue or SysV and POSIX message objects shared with other processes of the same user.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from errno import EACCES, EAFNOSUPPORT, ENOSYS, EPERM, EPROTONOSUPPORT

from kivuko.engines.sandbox.bpf import (
    ALLOW,
    KILL_PROCESS,
    NOTIFY,
    PID,
    Instruction,
    Program,
    assemble,
    jump_if_equal,
    jump_if_set,
    load,
    refuse,
    ret,
)
from kivuko.engines.sandbox.numbers import number

__all__ = ["filter_program"]

_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000
_CLONE_THREAD = 0x00010000
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_ANY_WRITE = 0o1 | 0o2 | 0o100 | 0o1000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC

# One word a call reads better than 80 literals.
_NOT_PERMITTED = """
    fork vfork ptrace process_vm_readv process_vm_writev kcmp process_madvise process_mrelease execveat pidfd_open pidfd_getfd
    pidfd_send_signal bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register memfd_create memfd_secret
    mount umount2 unshare setns pivot_root chroot open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr fanotify_init
    keyctl add_key request_key kexec_load kexec_file_load init_module finit_module delete_module reboot swapon swapoff
    open_by_handle_at name_to_handle_at personality quotactl quotactl_fd acct syslog settimeofday clock_settime clock_adjtime adjtimex
    sethostname setdomainname iopl ioperm modify_ldt vhangup lookup_dcookie uselib ustat sysfs move_pages migrate_pages mbind
    set_mempolicy set_mempolicy_home_node shmget shmat shmctl semget semop semtimedop semctl msgget msgsnd msgrcv msgctl mq_open
    mq_unlink listen
""".split()  # noqa: SIM905

_NO_WRITING = """
    creat truncate mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat mknod mknodat
    chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes futimesat utimensat setxattr lsetxattr fsetxattr setxattrat
    removexattr lremovexattr fremovexattr removexattrat
""".split()  # noqa: SIM905

_ONLY_ITSELF = (
    ("kill", 0),
    ("tkill", 0),
    ("tgkill", 0),
    ("rt_sigqueueinfo", 0),
    ("rt_tgsigqueueinfo", 0),
    ("prlimit64", 0),
    ("sched_setscheduler", 0),
    ("sched_setparam", 0),
    ("sched_setattr", 0),
    ("sched_setaffinity", 0),
)
"""Calls that name a process, and in which argument. 0, which these calls read as "the caller" (kill: its own group), is permitted."""

_ONE_PROCESS = (("setpriority", 0), ("ioprio_set", 1))
"""Calls that can also name a group or a user, and the value of their first argument that means a process."""

_REFUSED_OPTIONS = (
    ("fcntl", 1, (8, 10, 15)),  # F_SETOWN, F_SETSIG, F_SETOWN_EX: the kernel would send any signal to any process of the user
    ("ioctl", 1, (0x8901, 0x8902, 0x5412, 0x541C)),  # FIOSETOWN, SIOCSPGRP: the same; TIOCSTI, TIOCLINUX: typing into a terminal
    ("prctl", 0, (1, 4)),  # PR_SET_PDEATHSIG, PR_SET_DUMPABLE: would undo the tie to the parent, and blind level 2
)


def _argument(index: int) -> Instruction:
    return load(16 + 8 * index)


def _allowed_if(values: Sequence[int], errno: int) -> list[Instruction]:
    """After a load: permitted if the value is one of ``values``."""
    tests = [jump_if_equal(value, len(values) - place) for place, value in enumerate(values)]
    return [*tests, refuse(errno), ret(ALLOW)]


def _refused_if(values: Sequence[int], errno: int) -> list[Instruction]:
    tests = [jump_if_equal(value, len(values) - place) for place, value in enumerate(values)]
    return [*tests, ret(ALLOW), refuse(errno)]


def _socket(unix_sockets: bool) -> list[Instruction]:
    """AF_INET and AF_INET6 with TCP or UDP, AF_NETLINK for routes (getaddrinfo asks them), AF_UNIX where permitted.

    Other protocols (SCTP, multipath TCP …) could open connections that connect() does not show.
    """
    internet = [_argument(2), *_allowed_if((0, 6, 17), EPROTONOSUPPORT)]
    netlink = [_argument(2), *_allowed_if((0,), EPROTONOSUPPORT)]
    plain = [_AF_UNIX] if unix_sockets else []
    tests = [_AF_INET, _AF_INET6, _AF_NETLINK, *plain]
    after = len(tests) + 1  # the tests and the refusal that follows them
    targets = {_AF_INET: after, _AF_INET6: after, _AF_NETLINK: after + len(internet), _AF_UNIX: after + len(internet) - 1}
    jumps = [jump_if_equal(family, targets[family] - place - 1) for place, family in enumerate(tests)]
    return [_argument(0), *jumps, refuse(EAFNOSUPPORT), *internet, *netlink]


def _watched() -> Iterator[tuple[str, list[Instruction]]]:
    """Level 2 of the egress guard: what opens a way out goes to the listener."""
    for name in ("connect", "sendmsg", "sendmmsg"):
        yield name, [ret(NOTIFY)]
    # Without an address sendto is write.
    pointer = [_argument(4), jump_if_equal(0, 0, 3), load(16 + 8 * 4 + 4), jump_if_equal(0, 0, 1), ret(ALLOW), ret(NOTIFY)]
    yield "sendto", pointer
    routing_header = [_argument(1), jump_if_equal(41, 0, 3), _argument(2), jump_if_equal(57, 0, 1), refuse(EPERM), ret(ALLOW)]
    yield "setsockopt", routing_header


def _rules(unix_sockets: bool, watch_connect: bool) -> Iterator[tuple[str, list[Instruction]]]:
    for name in _NOT_PERMITTED:
        yield name, [refuse(EPERM)]
    for name in _NO_WRITING:
        yield name, [refuse(EACCES)]
    for name in ("clone3", "openat2"):  # their arguments lie in memory; the C library falls back to the older calls
        yield name, [refuse(ENOSYS)]
    yield "clone", [_argument(0), jump_if_set(_CLONE_THREAD, 1), refuse(EPERM), ret(ALLOW)]
    for name, index in (("open", 1), ("openat", 2)):
        yield name, [_argument(index), jump_if_set(_ANY_WRITE, 1), ret(ALLOW), refuse(EACCES)]
    for name, index in _ONLY_ITSELF:
        yield name, [_argument(index), *_allowed_if((0, PID), EPERM)]
    for name, process in _ONE_PROCESS:
        yield name, [_argument(0), jump_if_equal(process, 1), refuse(EPERM), _argument(1), *_allowed_if((0, PID), EPERM)]
    for name, index, options in _REFUSED_OPTIONS:
        yield name, [_argument(index), *_refused_if(options, EPERM)]
    yield "socket", _socket(unix_sockets)
    yield "socketpair", [_argument(0), *_allowed_if((_AF_UNIX,) if unix_sockets else (), EAFNOSUPPORT)]
    if watch_connect:
        yield from _watched()


def _entry(processor: str) -> Iterable[Instruction]:
    yield load(4)
    yield jump_if_equal(_AUDIT[processor], 1)
    yield ret(KILL_PROCESS)
    yield load(0)
    if processor == "x86_64":  # calls of the x32 interface have the same numbers with this bit
        yield jump_if_set(_X32_BIT, 0, 1)
        yield refuse(EPERM)


@functools.cache
def filter_program(processor: str, unix_sockets: bool, watch_connect: bool) -> Program:
    """The filter for a processor: refusals as above, everything else permitted."""
    instructions = [*_entry(processor)]
    for name, body in _rules(unix_sockets, watch_connect):
        wanted = number(name, processor)
        if wanted is not None:
            instructions += [jump_if_equal(wanted, 0, len(body)), *body]
    return assemble([*instructions, ret(ALLOW)])
