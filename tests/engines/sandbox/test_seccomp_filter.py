"""The seccomp filter, executed by a small interpreter of the kernel's packet filter language: both processors, every refusal."""

from __future__ import annotations

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.engines.sandbox import syscalls
from kivuko.engines.sandbox.bpf import ALLOW, KILL_PROCESS, NOTIFY
from kivuko.engines.sandbox.numbers import NUMBERS, number
from kivuko.engines.sandbox.syscalls import filter_program

ME = 4321
OTHER = 99
PROCESSORS = ("x86_64", "aarch64")
ARCHES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CLONE_THREAD = 0x10000
LOAD, JUMP_EQUAL, JUMP_SET, RETURN = 0x20, 0x15, 0x45, 0x06


def execute(text: bytes, data: bytes) -> int:
    program = list(struct.iter_unpack("<HBBI", text))
    place, accumulator = 0, 0
    while True:
        code, true, false, value = program[place]
        place += 1
        if code == RETURN:
            return value
        if code == LOAD:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif code == JUMP_EQUAL:
            place += true if accumulator == value else false
        else:
            assert code == JUMP_SET
            place += true if accumulator & value else false


def decide(processor: str, nr: int, *arguments: int, arch: int | None = None, unix: bool = False, watch: bool = False) -> int:
    words = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("<iIQ6Q", nr, ARCHES[processor] if arch is None else arch, 0, *(word % 2**64 for word in words))
    return execute(filter_program(processor, unix, watch).for_process(ME), data)


def verdict(processor: str, name: str, *arguments: int, unix: bool = False, watch: bool = False) -> str | int:
    wanted = number(name, processor)
    assert wanted is not None
    action = decide(processor, wanted, *arguments, unix=unix, watch=watch)
    if action == ALLOW:
        return "allow"
    return "notify" if action == NOTIFY else errno.errorcode[action & 0xFFFF]


def has(processor: str, name: str) -> bool:
    return number(name, processor) is not None


every_processor = pytest.mark.parametrize("processor", PROCESSORS)


@every_processor
def test_a_call_of_another_processor_ends_the_process(processor):
    assert decide(processor, 39, arch=0x40000003) == KILL_PROCESS  # i386, by int 0x80
    assert decide(processor, 39, arch=0) == KILL_PROCESS


def test_calls_of_the_x32_interface_are_refused():
    for nr in (0, 39, 41, 59, 512, 547):
        assert decide("x86_64", 0x40000000 | nr) == 0x50000 | errno.EPERM


@every_processor
def test_every_call_of_the_list_is_refused_with_any_argument(processor):
    for name in syscalls._NOT_PERMITTED:
        if has(processor, name):
            assert verdict(processor, name) == verdict(processor, name, ME, 1, 2, 3, 4, 5) == "EPERM", name


@every_processor
def test_every_call_that_writes_is_refused(processor):
    for name in syscalls._NO_WRITING:
        if has(processor, name):
            assert verdict(processor, name) == "EACCES", name


@pytest.mark.parametrize(
    "name",
    """fork vfork ptrace process_vm_readv process_vm_writev bpf perf_event_open mount umount2 unshare setns pivot_root chroot keyctl add_key
    request_key userfaultfd io_uring_setup io_uring_enter io_uring_register kexec_load init_module finit_module delete_module reboot swapon
    open_by_handle_at memfd_create execveat pidfd_open pidfd_getfd process_madvise personality quotactl acct syslog settimeofday sethostname
    setdomainname iopl ioperm listen pidfd_send_signal""".split(),  # noqa: SIM905
)
def test_the_list_of_the_design_is_in_the_filter(name):
    assert verdict("x86_64", name) == "EPERM"


@every_processor
def test_threads_may_be_made_and_processes_not(processor):
    assert verdict(processor, "clone", CLONE_THREAD | 0x3D0F00) == "allow"
    assert verdict(processor, "clone", 17) == "EPERM"
    assert verdict(processor, "clone", 0x4111) == "EPERM"  # vfork's flags
    assert verdict(processor, "clone3", 1, 88) == "ENOSYS"  # the C library then uses clone


@every_processor
@pytest.mark.parametrize("name", ["kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "prlimit64"])
def test_signals_and_limits_reach_only_the_own_process(processor, name):
    assert verdict(processor, name, ME, 9) == "allow"
    for target in (OTHER, 1, -1, -OTHER):
        assert verdict(processor, name, target, 9) == "EPERM"


@every_processor
@pytest.mark.parametrize(("name", "process"), [("setpriority", 0), ("ioprio_set", 1)])
def test_priorities_change_only_for_the_own_process(processor, name, process):
    assert verdict(processor, name, process, 0) == verdict(processor, name, process, ME) == "allow"
    assert verdict(processor, name, process, OTHER) == "EPERM"
    assert verdict(processor, name, process + 2, 0) == "EPERM"  # all processes of the user


@every_processor
def test_signals_by_owner_of_a_descriptor_are_refused(processor):
    assert [verdict(processor, "fcntl", 5, command) for command in (8, 10, 15)] == ["EPERM"] * 3
    assert [verdict(processor, "fcntl", 5, command) for command in (1, 2, 3, 4, 1030)] == ["allow"] * 5
    assert [verdict(processor, "ioctl", 5, request) for request in (0x8901, 0x8902, 0x5412)] == ["EPERM"] * 3
    assert verdict(processor, "ioctl", 5, 0x5421) == "allow"  # FIONBIO


@every_processor
def test_the_tie_to_the_parent_cannot_be_undone(processor):
    assert verdict(processor, "prctl", 1, 0) == verdict(processor, "prctl", 4, 0) == "EPERM"
    assert verdict(processor, "prctl", 15) == "allow"  # PR_SET_NAME


@every_processor
@pytest.mark.parametrize("unix", [False, True])
def test_sockets_are_tcp_udp_and_routes_and_unix_where_permitted(processor, unix):
    permitted = {(family, protocol) for family in (2, 10) for protocol in (0, 6, 17)} | {(16, 0)}
    for family in range(46):
        for protocol in (0, 1, 2, 6, 15, 17, 132, 136, 255, 262):
            wanted = "allow" if (family, protocol) in permitted or (unix and family == 1) else None
            found = verdict(processor, "socket", family, 1, protocol, unix=unix)
            assert found == (wanted or ("EPROTONOSUPPORT" if family in (2, 10, 16) else "EAFNOSUPPORT"))
    assert verdict(processor, "socketpair", 1, 1, unix=unix) == ("allow" if unix else "EAFNOSUPPORT")


@every_processor
def test_files_are_opened_for_reading_only(processor):
    for name, place in (("open", 1), ("openat", 2)):
        if has(processor, name):
            for flags in (0, 0o2000000, 0o200000):
                assert verdict(processor, name, *(0,) * place, flags) == "allow"
            for flags in (1, 2, 0o100, 0o1000, 0o2000001):
                assert verdict(processor, name, *(0,) * place, flags) == "EACCES"
    assert verdict(processor, "openat2") == "ENOSYS"


@every_processor
def test_level_two_hands_on_what_opens_a_way_out(processor):
    for name in ("connect", "sendmsg", "sendmmsg"):
        assert verdict(processor, name, 5, 6, 7, watch=True) == "notify"
        assert verdict(processor, name, 5, 6, 7) == "allow"
    assert verdict(processor, "sendto", 5, 6, 7, 0, 0, 0, watch=True) == "allow"
    assert verdict(processor, "sendto", 5, 6, 7, 0, 0x1000, 16, watch=True) == "notify"
    assert verdict(processor, "sendto", 5, 6, 7, 0, 1 << 32, 16, watch=True) == "notify"  # an address in the upper half
    assert verdict(processor, "setsockopt", 5, 41, 57, watch=True) == "EPERM"  # IPV6_RTHDR: another first destination
    assert verdict(processor, "setsockopt", 5, 41, 26, watch=True) == verdict(processor, "setsockopt", 5, 6, 57, watch=True) == "allow"


@given(st.sampled_from(PROCESSORS), st.integers(0, 470), st.lists(st.integers(0, 2**64 - 1), max_size=6), st.booleans(), st.booleans())
def test_every_path_through_the_filter_ends_in_a_known_action(processor, nr, arguments, unix, watch):
    action = decide(processor, nr, *arguments, unix=unix, watch=watch)
    assert action in (ALLOW, NOTIFY) or action & ~0xFFFF == 0x50000
    names = {number(name, processor) for name in NUMBERS}
    if nr not in names:
        assert action == ALLOW


def test_the_filter_fits_the_kernels_bound():
    for processor in PROCESSORS:
        assert filter_program(processor, True, True).size <= 4096


def test_no_number_stands_for_two_calls():
    for processor in PROCESSORS:
        numbers = [number(name, processor) for name in NUMBERS if has(processor, name)]
        assert len(numbers) == len(set(numbers))
