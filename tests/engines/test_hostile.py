"""Hostile jobs in a host with all layers: none reads, writes, starts or reaches what it may not, and the next Run is correct.

The rows of engine.md §11.2; limits, pollution and forged frames are in test_limits.py and test_isolation.py.

Blocked addresses are loopback stand-ins with real listeners: an escape would be seen there. Nothing is ever sent to an outside address.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kivuko.engines import EgressPolicy, Engine, EngineSettings, Limits, RunResult
from kivuko.engines.sandbox import Layer, available_layers

from .conftest import Bench

BLOCKED = "127.66.66.66"
POLICY = EgressPolicy(blocked=("127.66.66.0/24",), unix_sockets=False)
CANARY = "KIVUKO_CANARY"
LIMITS = Limits(timeout_ms=15_000)


class Listener:
    """A listener on a blocked address that counts who reaches it."""

    def __init__(self, address: str) -> None:
        self.socket = socket.create_server((address, 0))
        self.port: int = self.socket.getsockname()[1]
        self.reached = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.reached += 1
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi")
            connection.close()


@pytest.fixture(scope="module")
def hostile() -> Iterator[Bench]:
    os.environ[CANARY] = "secret-of-the-parent"
    with Engine(EngineSettings(most_hosts=2)) as engine:
        yield Bench(engine)
    del os.environ[CANARY]


@pytest.fixture
def blocked() -> Iterator[Listener]:
    listener = Listener(BLOCKED)
    yield listener
    listener.socket.close()


def attack(hostile: Bench, code: str, **options: Any) -> RunResult:
    """Runs code in the main realm of the host, where a job that escapes its context arrives; ``code`` is the body of an async function."""
    escape = f"const main = console.log.constructor('return (async () => {{}}).constructor')()('process', 'require', {json.dumps(code)})"
    main = "const p = console.log.constructor('return process')(); return { got: await main(p, p.getBuiltinModule) }"
    operation = f"async s => {{ {escape}; {main} }}"
    result = hostile.run(operation, limits=LIMITS, egress=POLICY, **options)
    hostile.engine.end("attempt")
    assert hostile.run("s => s", limits=LIMITS, egress=POLICY).state == b'{"data":{}}', "the run after it is correct"
    return result


def denied(result: RunResult) -> str:
    assert result.error is not None, f"it got {result.state!r}"
    return result.error.message


def test_this_machine_has_every_layer_that_the_tests_are_about() -> None:
    missing = set(Layer) - set(available_layers())
    assert not missing, f"run these tests where the kernel has {', '.join(layer.value for layer in missing)}"


@pytest.mark.parametrize(
    "code",
    [
        "return require('fs').readFileSync('/etc/passwd', 'utf8')",
        "return require('fs').readFileSync('/proc/1/environ', 'utf8')",
        "return require('fs').readdirSync('/root')",
        "return (await require('fs').promises.open('/etc/shadow')).fd",
        "return require('module').createRequire('/')('/etc/passwd')",
        "return process.dlopen({ exports: {} }, '/lib/x86_64-linux-gnu/libc.so.6')",
        "return require('v8').writeHeapSnapshot('/tmp/kivuko.heapsnapshot')",
        "return new (require('worker_threads').Worker)('1', { eval: true }).threadId",
        "return require('inspector').open(0)",
        "return require('child_process').execSync('id').toString()",
        "return require('child_process').fork('/tmp/x.js').pid",
        "return require('cluster').fork().id",
        "require('fs').writeFileSync('/tmp/kivuko-escaped', 'x'); return 'written'",
        "require('fs').appendFileSync(require('path').join('/', 'tmp', 'kivuko-escaped'), 'x'); return 'written'",
        "process.chdir('/root'); return 'moved'",
        "process.kill(1, 9); return 'killed'",
        "process.kill(process.ppid, 9); return 'killed'",
        "process.setuid(12345); return process.getuid()",
        "return await import('node:fs').then(fs => fs.readFileSync('/etc/passwd', 'utf8'))",
    ],
)
def test_files_processes_and_signals_are_denied(hostile: Bench, code: str) -> None:
    assert denied(attack(hostile, code))
    assert not Path("/tmp/kivuko-escaped").exists()


def test_the_parents_environment_is_not_there(hostile: Bench) -> None:
    result = attack(hostile, "return JSON.stringify(process.env)")
    assert result.state is not None
    assert CANARY.encode() not in result.state
    assert b"secret-of-the-parent" not in result.state
    assert denied(attack(hostile, f"return require('fs').readFileSync('/proc/{os.getpid()}/environ', 'utf8')"))


def test_the_files_of_the_host_and_its_adaptors_cannot_be_changed(hostile: Bench) -> None:
    import kivuko.engines

    host = Path(kivuko.engines.__file__).parent / "javascript" / "host.js"
    before = host.read_bytes()
    assert denied(attack(hostile, f"require('fs').writeFileSync({json.dumps(str(host))}, '')"))
    assert host.read_bytes() == before


def test_a_fork_bomb_starts_nothing(hostile: Bench) -> None:
    code = "let n = 0; for (let i = 0; i < 30; i++) { try { require('child_process').spawnSync('/bin/true'); n++ } catch {} } return n"
    assert attack(hostile, code).state == b'{"got":0}'


@pytest.mark.parametrize(
    "code", ["require('net').createServer().listen(0); return new Promise(r => setTimeout(() => r('listening'), 200))"]
)
def test_nothing_listens(hostile: Bench, code: str) -> None:
    assert denied(attack(hostile, code))


@pytest.mark.parametrize(
    "target",
    [BLOCKED, "2118271554", "0x7f424242", "127.66.16962", f"[::ffff:{BLOCKED}]"],
)
def test_http_to_a_blocked_address_in_any_spelling_is_refused(hostile: Bench, blocked: Listener, target: str) -> None:
    code = f"return (await fetch('http://{target}:{blocked.port}/')).status"
    message = denied(attack(hostile, code))
    assert "fetch failed" in message or "EBLOCKED" in message
    assert blocked.reached == 0


def test_a_tcp_connection_to_a_blocked_address_is_refused_by_name(hostile: Bench, blocked: Listener) -> None:
    code = f"return new Promise((r, j) => require('net').connect({blocked.port}, '{BLOCKED}', () => r('in')).on('error', j))"
    assert "EBLOCKED" in denied(attack(hostile, code))
    assert blocked.reached == 0


def test_nodes_bindings_are_closed_to_the_job(hostile: Bench, blocked: Listener) -> None:
    """18b: the connection would be made below everything that level 1 patches."""
    assert denied(attack(hostile, "return new (process.binding('tcp_wrap').TCP)(0).fd"))
    assert blocked.reached == 0


def test_a_connection_made_with_the_parts_of_a_live_socket_is_refused_by_the_kernel(hostile: Bench, blocked: Listener) -> None:
    """18f: TCP and TCPConnectWrap are taken from a socket that is connecting, so no patched function is involved. Level 2 refuses it."""
    permitted = Listener("127.0.0.1")
    code = f"""
      const first = require('net').connect({permitted.port}, '127.0.0.1')
      const TCP = first._handle.constructor
      const original = TCP.prototype.connect
      const Wrap = await new Promise(found => {{
        TCP.prototype.connect = function (request, ...rest) {{ found(request.constructor); return original.call(this, request, ...rest) }}
      }})
      TCP.prototype.connect = original
      const connect = (address, port) => new Promise(done => {{
        const request = new Wrap()
        request.oncomplete = status => done(status)
        const code = new TCP(0).connect(request, address, port)
        if (code) done(code)
      }})
      return [await connect('127.0.0.1', {permitted.port}), await connect('{BLOCKED}', {blocked.port})]
    """
    result = attack(hostile, code)
    permitted.socket.close()
    assert result.state is not None, result.error
    assert json.loads(result.state)["got"] == [0, -errno.EACCES]
    assert blocked.reached == 0


def test_an_allowed_destination_inside_a_blocked_network_is_reached(hostile: Bench, blocked: Listener) -> None:
    policy = EgressPolicy(blocked=POLICY.blocked, allowed=(f"{BLOCKED}:{blocked.port}",))
    code = f"return (await (await fetch('http://{BLOCKED}:{blocked.port}/')).text())"
    escape = f"const f = console.log.constructor('return (async () => {{}}).constructor')()({json.dumps(code)})"
    assert hostile.run(f"async s => {{ {escape}; return {{ got: await f() }} }}", limits=LIMITS, egress=policy).state == b'{"got":"hi"}'
    assert blocked.reached == 1


def test_addresses_that_are_not_blocked_are_reached(hostile: Bench) -> None:
    listener = Listener("127.0.0.1")
    result = attack(hostile, f"return (await (await fetch('http://localhost:{listener.port}/')).text())")
    assert result.state == b'{"got":"hi"}'
    listener.socket.close()


@pytest.mark.parametrize("path", ["/var/run/docker.sock", "/tmp/kivuko-test.sock", "\\0abstract"])
def test_unix_sockets_are_refused(hostile: Bench, path: str) -> None:
    code = f"return new Promise((r, j) => require('net').connect({{ path: '{path}' }}, () => r('in')).on('error', j))"
    assert denied(attack(hostile, code))
