"""System calls made directly by a confined program, past every library."""

from __future__ import annotations

import platform
import signal

import pytest

from kivuko.engines.sandbox import Layer
from kivuko.engines.sandbox.numbers import number

CALLS = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(name, number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *(a if isinstance(a, (bytes, type(None))) else ctypes.c_long(a) for a in arguments))
    say(name, errno.errorcode[ctypes.get_errno()] if result < 0 else "done")
"""

# Calls that an unprivileged process may make elsewhere, so that it is the filter which refuses them.
ORDINARY = {
    "pidfd_open": (1, 0),
    "memfd_create": (b"x", 0),
    "process_vm_readv": (1, None, 0, None, 0, 0),
    "ptrace": (0, 0, 0, 0),
    "personality": (0xFFFFFFFF,),
    "io_uring_setup": (1, None),
    "userfaultfd": (1,),
    "keyctl": (0, -3, 0),
    "shmget": (0, 4096, 0o1600),
    "msgget": (0, 0o1600),
    "semget": (0, 1, 0o1600),
    "prlimit64": (1, 7, None, None),
    "clone": (17, 0, 0, 0, 0),
    "kcmp": (1, 1, 0, 0, 0),
}


@pytest.mark.parametrize("name", sorted(ORDINARY))
def test_the_kernel_refuses_what_the_filter_names(python, lacks, name):
    outcome = python(f"{CALLS}\ncall({name!r}, {number(name)}, *{ORDINARY[name]!r})")
    if not lacks(outcome, Layer.SECCOMP):
        assert outcome.said == {name: "EPERM"}


def test_signals_cannot_be_sent_by_any_of_the_calls(python, lacks):
    calls = "\n".join(
        f"call({name!r}, {number(name)}, *{arguments})"
        for name, arguments in {
            "kill": "(os.getppid(), 0)",
            "tkill": "(os.getppid(), 0)",
            "tgkill": "(os.getppid(), os.getppid(), 0)",
            "rt_sigqueueinfo": "(os.getppid(), 0, bytes(128))",
            "rt_tgsigqueueinfo": "(os.getppid(), os.getppid(), 0, bytes(128))",
            "pidfd_send_signal": "(os.open('/proc/self', os.O_RDONLY), 0, None, 0)",
        }.items()
    )
    outcome = python(f"{CALLS}\n{calls}\nimport fcntl\nattempt('owner', lambda: fcntl.fcntl(0, fcntl.F_SETOWN, os.getppid()))")
    if not lacks(outcome, Layer.SECCOMP):
        assert len(outcome.said) == 7
        assert set(outcome.said.values()) == {"EPERM"}


def test_the_tie_to_the_parent_cannot_be_cut(python, lacks):
    outcome = python(f"{CALLS}\ncall('prctl', {number('prctl')}, 1, 0, 0, 0, 0)")
    if not lacks(outcome, Layer.SECCOMP):
        assert outcome.said == {"prctl": "EPERM"}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x32 and int 0x80 exist on x86_64 only")
def test_the_x32_interface_is_refused(python, lacks):
    outcome = python(f"{CALLS}\ncall('getpid', 0x40000000 | 39)")
    if not lacks(outcome, Layer.SECCOMP):
        assert outcome.said == {"getpid": "EPERM"}  # without the filter ENOSYS, or done


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x32 and int 0x80 exist on x86_64 only")
def test_a_call_by_the_32_bit_interface_ends_the_process(python, lacks):
    outcome = python(
        """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20 (getpid); int 0x80; ret
say("before", True)
say("pid", ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))())
"""
    )
    if not lacks(outcome, Layer.SECCOMP):
        assert outcome.said == {"before": True}
        assert outcome.status in (-signal.SIGSYS, -signal.SIGSEGV)  # the second where the kernel has no 32-bit interface


def test_sockets_of_other_families_and_protocols_are_refused(python, lacks):
    outcome = python(
        """
import socket
kinds = {
    "unix": (1, 1, 0), "packet": (17, 3, 0), "vsock": (40, 1, 0), "raw": (2, 3, 1), "icmp": (2, 2, 1), "sctp": (2, 1, 132),
    "mptcp": (2, 1, 262), "audit": (16, 3, 9), "alg": (38, 5, 0), "tcp": (2, 1, 0), "udp6": (10, 2, 17), "routes": (16, 3, 0),
}
for name, arguments in kinds.items():
    attempt(name, lambda: socket.socket(*arguments).close() or "done")
attempt("pair", lambda: socket.socketpair() and "done")
"""
    )
    if not lacks(outcome, Layer.SECCOMP):
        done = {name for name, value in outcome.said.items() if value == "done"}
        assert done == {"tcp", "udp6", "routes"}
        assert set(outcome.said.values()) - {"done"} == {"EAFNOSUPPORT", "EPROTONOSUPPORT"}


def test_unix_sockets_can_be_permitted(python):
    outcome = python("import socket\nattempt('unix', lambda: socket.socket(1, 1).close() or 'done')", unix_sockets=True)
    assert outcome.said == {"unix": "done"}


def test_truncating_by_opening_is_refused_even_for_reading(python, lacks, tmp_path):
    file = tmp_path / "kept"
    file.write_text("kept")
    outcome = python(
        f"attempt('open', lambda: os.open({str(file)!r}, os.O_RDONLY | os.O_TRUNC))\nattempt('read', lambda: open({str(file)!r}).read())",
        readable=(str(file),),
    )
    assert file.read_text() == "kept"
    if not lacks(outcome, Layer.SECCOMP):
        assert outcome.said == {"open": "EACCES", "read": "kept"}
