"""Level 2 against programs that make system calls themselves, and what it leaves untouched."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Callable

import pytest

from kivuko.engines.egress import EgressGuard, Rules, guard_child
from kivuko.engines.run import EgressPolicy
from kivuko.engines.sandbox import Confinement, Layer, available_layers, spawn

pytestmark = pytest.mark.skipif(
    Layer.CONNECT_WATCH not in available_layers(), reason="this machine has no level 2; test_ssrf.py asserts that nothing pretends to be it"
)

OPEN = EgressPolicy()

MESSAGES = """
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("size", ctypes.c_size_t)]
class Header(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("name_size", ctypes.c_uint32), ("vectors", ctypes.POINTER(Vector)), ("count", ctypes.c_size_t),
                ("control", ctypes.c_char_p), ("control_size", ctypes.c_size_t), ("flags", ctypes.c_int)]
class Many(ctypes.Structure):
    _fields_ = [("header", Header), ("sent", ctypes.c_uint)]
def header(name, *pieces):
    vectors = (Vector * len(pieces))(*((piece, len(piece)) for piece in pieces))
    return Header(name, len(name or b""), vectors, len(pieces), None, 0, 0)
def many(*headers):
    return (Many * len(headers))(*((one, 0) for one in headers))
"""


@pytest.fixture
def rules(policy) -> Rules:
    return Rules(policy, servers=lambda: ())


@pytest.fixture
def said(python, listeners, rules) -> Callable[..., dict[str, object]]:
    """Runs a Python program with PORT set, gives what it said, and settles the listeners."""

    def run(script: str, rules: Rules = rules) -> dict[str, object]:
        outcome = python(f"PORT = {listeners.port}\n{script}", rules=rules)
        listeners.settle()
        assert (outcome.status, outcome.errors) == (0, "")
        return outcome.said

    return run


def test_connect_by_blocking_and_non_blocking_sockets(said, listeners):
    found = said(
        """
for name, host in {"open": "127.0.0.1", "blocked": "127.66.66.66"}.items():
    with socket.socket() as s:
        attempt(name, lambda: s.connect((host, PORT)) or s.getpeername()[0])
    with socket.socket() as s:
        s.setblocking(False)
        say(name + " at once", errno.errorcode.get(s.connect_ex((host, PORT)), "done"))
with socket.socket() as s:
    attempt("nobody", lambda: s.connect(("127.0.0.1", 1)))
with socket.socket() as s:
    s.connect(("127.0.0.1", PORT))
    attempt("twice", lambda: s.connect(("127.0.0.1", PORT)))
"""
    )
    assert found == {
        "open": "127.0.0.1",
        "open at once": "EINPROGRESS",
        "blocked": "EACCES",
        "blocked at once": "EACCES",
        "nobody": "ECONNREFUSED",
        "twice": "EISCONN",
    }
    assert listeners.escapes == {}


def test_a_socket_keeps_its_options_and_its_data_flows(said, listeners):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        server.setblocking(False)
        found = said(
            f"""
s = socket.socket()
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
s.settimeout(10)
s.connect(("127.0.0.1", {port}))
s.sendall(b"habari")
say("peer", s.getpeername()[1] == {port})
say("option", s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)
say("sent", s.sendmsg([b" ya", b" leo"]))
"""
        )
        server.setblocking(True)
        with server.accept()[0] as connection:
            received = b""
            while more := connection.recv(100):
                received += more
    assert found == {"peer": True, "option": True, "sent": 7}
    assert received == b"habari ya leo"


def test_a_large_message_on_a_stream_is_sent_in_parts(said):
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = said(
            f"""
import threading
s = socket.create_connection(("127.0.0.1", {server.getsockname()[1]}))
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
s.setblocking(False)
say("sent", 0 < s.sendmsg([b"x" * (1 << 20), b"y" * (1 << 20)]) <= 1 << 20)
"""
        )
    assert found == {"sent": True}


def test_other_families_are_refused_and_ending_a_connection_is_not(said, listeners):
    found = said(
        """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("127.0.0.1", PORT))
call("unspec", libc.connect, s.fileno(), bytes(16), 16)
call("unix", libc.connect, s.fileno(), b"\\x01\\0/tmp/x\\0", 9)
call("bluetooth", libc.connect, s.fileno(), b"\\x1f\\0" + bytes(14), 16)
attempt("after", lambda: s.connect(("127.0.0.1", PORT)))
"""
    )
    assert found == {"unspec": 0, "unix": "EACCES", "bluetooth": "EACCES", "after": None}


def test_addresses_that_the_kernel_would_refuse_are_refused_as_it_does(said):
    found = said(
        """
s = socket.socket()
good = ipv4("127.0.0.1", PORT)
call("short", libc.connect, s.fileno(), good, 7)
call("empty", libc.connect, s.fileno(), good, 0)
call("long", libc.connect, s.fileno(), good + bytes(200), 200)
call("negative", libc.connect, s.fileno(), good, -1)
call("nowhere", libc.connect, s.fileno(), ctypes.c_void_p(8), 16)
call("no descriptor", libc.connect, 999, good, 16)
call("no socket", libc.connect, 0, good, 16)
call("good", libc.connect, s.fileno(), good, 16)
"""
    )
    assert found == {
        "short": "EINVAL",
        "empty": "EINVAL",
        "long": "EINVAL",
        "negative": "EINVAL",
        "nowhere": "EFAULT",
        "no descriptor": "EBADF",
        "no socket": "ENOTSOCK",
        "good": 0,
    }


def test_datagrams_are_judged_in_every_way_to_send_them(said, listeners):
    found = said(
        MESSAGES
        + """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
good, bad = ipv4("127.0.0.1", PORT), ipv4("127.66.66.66", PORT)
attempt("sendto", lambda: s.sendto(b"1", ("127.0.0.1", PORT)))
attempt("sendto blocked", lambda: s.sendto(b"x", ("127.66.66.66", PORT)))
attempt("sendmsg", lambda: s.sendmsg([b"2", b"3"], [], 0, ("127.0.0.1", PORT)))
attempt("sendmsg blocked", lambda: s.sendmsg([b"x"], [], 0, ("127.66.66.66", PORT)))
batch = many(header(good, b"4"), header(good, b"5", b"6"))
call("sendmmsg", libc.sendmmsg, s.fileno(), batch, 2, 0)
say("lengths", [one.sent for one in batch])
call("sendmmsg blocked", libc.sendmmsg, s.fileno(), many(header(bad, b"x"), header(good, b"x")), 2, 0)
call("sendmmsg until blocked", libc.sendmmsg, s.fileno(), many(header(good, b"7"), header(bad, b"x"), header(good, b"x")), 3, 0)
call("sendmmsg of none", libc.sendmmsg, s.fileno(), None, 0, 0)
s.connect(("127.0.0.1", PORT))
attempt("send", lambda: s.send(b"8"))
attempt("sendmsg to the peer", lambda: s.sendmsg([b"9"]))
"""
    )
    assert found == {
        "sendto": 1,
        "sendto blocked": "EACCES",
        "sendmsg": 2,
        "sendmsg blocked": "EACCES",
        "sendmmsg": 2,
        "lengths": [1, 2],
        "sendmmsg blocked": "EACCES",
        "sendmmsg until blocked": 1,
        "sendmmsg of none": 0,
        "send": 1,
        "sendmsg to the peer": 1,
    }
    assert listeners.datagrams == [b"1", b"23", b"4", b"56", b"7", b"8", b"9"]
    assert listeners.escapes == {}


def test_a_message_that_names_no_family_is_not_taken_for_an_open_one(said, listeners):
    """The kernel reads AF_UNSPEC in a datagram's address as IPv4 (udp_sendmsg)."""
    found = said(
        MESSAGES
        + """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sneaky = ipv4("127.66.66.66", PORT, family=0)
call("sendto", libc.sendto, s.fileno(), b"x", 1, 0, sneaky, 16)
call("sendmsg", libc.sendmsg, s.fileno(), ctypes.byref(header(sneaky, b"x")), 0)
call("sendmmsg", libc.sendmmsg, s.fileno(), many(header(sneaky, b"x")), 1, 0)
"""
    )
    assert found == dict.fromkeys(["sendto", "sendmsg", "sendmmsg"], "EAFNOSUPPORT")
    assert listeners.escapes == {}


def test_fast_open_does_not_go_around_connect(said, listeners):
    found = said(
        MESSAGES
        + """
MSG_FASTOPEN = 0x20000000
bad = ipv4("127.66.66.66", PORT)
call("sendto", libc.sendto, socket.socket().detach(), b"x", 1, MSG_FASTOPEN, bad, 16)
call("sendmsg", libc.sendmsg, socket.socket().detach(), ctypes.byref(header(bad, b"x")), MSG_FASTOPEN)
call("sendmmsg", libc.sendmmsg, socket.socket().detach(), many(header(bad, b"x")), 1, MSG_FASTOPEN)
s = socket.socket()
s.setsockopt(socket.IPPROTO_TCP, 30, 1)
call("option", libc.connect, s.fileno(), bad, 16)
"""
    )
    assert found == dict.fromkeys(["sendto", "sendmsg", "sendmmsg", "option"], "EACCES")
    assert listeners.escapes == {}


def test_mapped_addresses_are_judged_on_ipv6_sockets(said, listeners):
    if not socket.has_ipv6:
        pytest.skip("this Python has no IPv6")
    found = said(
        """
for name, host in {"open": "::ffff:127.0.0.1", "blocked": "::ffff:127.66.66.66"}.items():
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET6, kind) as s:
            attempt(f"{name} {kind.name}", lambda: s.connect((host, PORT)))
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
    call("family", libc.connect, s.fileno(), ipv4("127.66.66.66", PORT), 16)
    call("message", libc.sendto, s.fileno(), b"x", 1, 0, ipv4("127.66.66.66", PORT), 16)
    attempt("route", lambda: s.setsockopt(41, 57, b""))
"""
    )
    assert found == {
        "open SOCK_STREAM": None,
        "open SOCK_DGRAM": None,
        "blocked SOCK_STREAM": "EACCES",
        "blocked SOCK_DGRAM": "EACCES",
        "family": "EACCES",
        "message": "EACCES",
        "route": "EPERM",
    }
    assert listeners.escapes == {}


def test_control_data_is_refused(said):
    found = said(
        """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
attempt("control", lambda: s.sendmsg([b"x"], [(socket.IPPROTO_IP, 8, bytes(12))], 0, ("127.0.0.1", PORT)))
"""
    )
    assert found == {"control": "EPERM"}


RACE = """
import threading
address = ctypes.create_string_buffer(ipv4("127.0.0.1", PORT), 16)
good, bad = ipv4("127.0.0.1", PORT), ipv4("127.66.66.66", PORT)
stop = False
def flip():
    while not stop:
        for _ in range(100):
            ctypes.memmove(address, bad, 16)
            ctypes.memmove(address, good, 16)
flipper = threading.Thread(target=flip)
flipper.start()
results = {}
for turn in range(1500):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if turn % 2 else socket.SOCK_DGRAM) as s:
        ctypes.set_errno(0)
        if turn % 2:
            result = libc.connect(s.fileno(), address, 16)
        else:
            result = libc.sendto(s.fileno(), b"x", 1, 0, address, 16)
        name = "done" if result >= 0 else errno.errorcode[ctypes.get_errno()]
        results[name] = results.get(name, 0) + 1
stop = True
flipper.join()
say("results", results)
"""


def test_changing_the_address_between_check_and_use_wins_nothing(said, listeners):
    found = said(RACE)["results"]
    assert listeners.escapes == {}
    assert set(found) <= {"done", "EACCES"}
    assert found["done"] > 0


def test_many_threads_connect_at_the_same_time(said):
    found = said(
        """
import threading
results = []
def work():
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", PORT)):
            results.append(1)
threads = [threading.Thread(target=work) for _ in range(8)]
for one in threads: one.start()
for one in threads: one.join()
say("connected", len(results))
"""
    )
    assert found == {"connected": 160}


def test_a_connection_that_waits_does_not_hold_up_the_others(said):
    """A full backlog makes the kernel wait: nothing answers the first connection, yet the second is made."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        crowd = [socket.socket() for _ in range(4)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        found = said(
            f"""
import threading
def waiting():
    with socket.socket() as s:
        s.connect(("127.0.0.1", {full.getsockname()[1]}))
threading.Thread(target=waiting, daemon=True).start()
for _ in range(5):
    socket.create_connection(("127.0.0.1", PORT)).close()
say("others", "done")
os._exit(0)
"""
        )
        for one in crowd:
            one.close()
    assert found == {"others": "done"}


def test_names_are_resolved_through_the_machine_s_name_server(said):
    """The name server stands on an address that the policy blocks, as a resolver on loopback does in multi-tenant mode."""
    server = ipaddress.ip_address("127.0.0.2")
    rules = Rules(EgressPolicy(blocked=("127.0.0.0/8",)), servers=lambda: (server,))
    found = said(
        """
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    attempt("server", lambda: s.connect(("127.0.0.2", 53)))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    attempt("its other port", lambda: s.connect(("127.0.0.2", 54)))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    attempt("another", lambda: s.connect(("127.0.0.1", 53)))
attempt("file", lambda: socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)[0][4][1])
""",
        rules,
    )
    assert found == {"server": None, "its other port": "EACCES", "another": "EACCES", "file": 80}


def test_rules_can_be_replaced_while_a_process_runs(listeners, policy):
    ours, theirs = os.pipe()
    answer_in, answer_out = os.pipe()
    script = (
        "import os, socket\n"
        "while os.read(4, 1):\n"
        f"    with socket.socket() as s: os.write(3, str(s.connect_ex(('127.66.66.66', {listeners.port}))).encode())\n"
    )
    places = tuple({sys.prefix, sys.base_prefix, os.path.realpath(sys.executable)})
    child = spawn(
        [sys.executable, "-I", "-S", "-c", script],
        env={},
        pass_fds={3: answer_out, 4: ours},
        confinement=Confinement(executable=places, watch_connect=True),
        stderr=2,
    )
    for one in (ours, answer_out):
        os.close(one)
    guard = guard_child(child, Rules(policy))
    assert isinstance(guard, EgressGuard)
    answers = []
    for rules in (Rules(OPEN), Rules(policy), Rules(OPEN)):
        guard.rules = rules
        os.write(theirs, b".")
        answers.append(os.read(answer_in, 10))
    assert answers == [b"0", b"13", b"0"]
    os.close(theirs)
    child.wait()
    assert guard.join(20)
    child.close()
    os.close(answer_in)


def connecting_child(port: int) -> tuple[list[str], Confinement]:
    """A program that says '.', connects, and says the errno."""
    script = f"import os, socket\nos.write(3, b'.')\ns = socket.socket()\nos.write(3, str(s.connect_ex(('127.0.0.1', {port}))).encode())"
    places = tuple({sys.prefix, sys.base_prefix, os.path.realpath(sys.executable)})
    return [sys.executable, "-I", "-S", "-c", script], Confinement(executable=places, watch_connect=True)


@pytest.mark.parametrize("start", [False, True], ids=["never started", "started"])
def test_a_guard_that_is_closed_lets_nothing_through_and_leaves_nothing_open(listeners, start):
    before = set(os.listdir("/proc/self/fd"))
    ours, theirs = os.pipe()
    argv, terms = connecting_child(listeners.port)
    child = spawn(argv, env={}, pass_fds={3: theirs}, confinement=terms, stderr=2)
    os.close(theirs)
    assert child.listener is not None
    guard = EgressGuard(child.pid, child.listener, Rules(OPEN))
    if start:
        guard.start()
        guard.close()
    else:
        guard.close()
    guard.close()
    with os.fdopen(ours, "rb") as stream:
        assert stream.read() == b".38"  # ENOSYS
    assert child.wait() == 0
    child.close()
    listeners.settle()
    assert listeners.heard == {}
    assert set(os.listdir("/proc/self/fd")) <= before


def test_calls_made_before_the_guard_starts_wait_for_it(listeners):
    ours, theirs = os.pipe()
    argv, terms = connecting_child(listeners.port)
    child = spawn(argv, env={}, pass_fds={3: theirs}, confinement=terms, stderr=2)
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as stream:
        assert stream.read(1) == b"."
        assert child.poll() is None
        guard = guard_child(child, Rules(OPEN))
        assert guard is not None
        assert stream.read(10) == b"0"
    child.wait()
    child.close()
    assert guard.join(20)


def test_without_a_listener_there_is_no_guard():
    null = os.open(os.devnull, os.O_RDWR)
    child = spawn([os.path.realpath("/bin/true")], env={}, pass_fds={}, confinement=Confinement(), stderr=null)
    os.close(null)
    assert guard_child(child, Rules(OPEN)) is None
    child.wait()
    child.close()
