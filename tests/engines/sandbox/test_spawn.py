"""How a confined process is started: its surroundings, its end, and both ways of forking."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from kivuko.engines.sandbox import Confinement, Layer, available_layers, spawn
from kivuko.engines.sandbox.forkserver import ForkServer, fork_server
from kivuko.engines.sandbox.starting import _fork_here
from kivuko.errors import HostFailed

CAT = os.path.realpath("/bin/cat")
SLEEP = os.path.realpath("/bin/sleep")
ROOT = os.getuid() == 0
NOBODY = (65534, 65534)
PATIENCE_MS = 20_000


@pytest.fixture(params=["direct", "fork server"])
def start(request: pytest.FixtureRequest):
    """``spawn`` by one of its two ways, whatever threads the test runner has."""
    null = os.open(os.devnull, os.O_RDWR)

    def direct(argv, *, pass_fds=None, env=None, confinement=None):
        return _fork_here(argv, env or {}, {0: null, 1: null, 2: null} | (pass_fds or {}), confinement or Confinement())

    def served(argv, *, pass_fds=None, env=None, confinement=None):
        return fork_server().spawn(argv, env or {}, {0: null, 1: null, 2: null} | (pass_fds or {}), confinement or Confinement())

    yield direct if request.param == "direct" else served
    os.close(null)


@pytest.fixture
def output(start):
    """What a program writes to stdout, and its exit status."""

    def run(argv, **options) -> tuple[str, int | None]:
        ours, theirs = os.pipe()
        child = start(argv, pass_fds={1: theirs}, **options)
        os.close(theirs)
        with os.fdopen(ours) as stream:
            text = stream.read()
        status = child.wait()
        child.close()
        return text, status

    return run


def fields(text: str) -> dict[str, str]:
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


def test_a_program_runs_and_its_status_is_seen(output):
    assert output([CAT, "/proc/version_signature", "/etc/hosts"])[1] in (0, 1)
    text, status = output([CAT, "/etc/hosts"])
    assert (bool(text), status) == (True, 0)


GLIBC_SIGNALS = 0b11 << 31
"""Signals 32 and 33 belong to glibc, whose posix_spawn ignores them in the child: a test under `make` inherits that, and no program can
change it by sigaction(2)."""


def test_rights_signals_and_limits_are_those_of_a_confined_process(output):
    status = fields(output([CAT, "/proc/self/status"])[0])
    assert status["NoNewPrivs"] == "1"
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb") if ROOT or name != "CapBnd"} == {0}
    assert int(status["SigBlk"], 16) == int(status["SigIgn"], 16) & ~GLIBC_SIGNALS == 0
    assert (status["Seccomp"] == "2") == (Layer.SECCOMP in available_layers())
    limits = output([CAT, "/proc/self/limits"], confinement=Confinement(data_mb=100, address_space_mb=500))[0]
    bounds = {line[:26].strip(): line[26:].split()[:2] for line in limits.splitlines()}
    assert bounds["Max core file size"] == ["0", "0"]
    assert bounds["Max file size"] == [str(64 << 20)] * 2
    assert bounds["Max open files"] == ["512", "512"]
    assert bounds["Max data size"] == [str(100 << 20)] * 2
    assert bounds["Max address space"] == [str(500 << 20)] * 2


def test_the_environment_is_exactly_what_was_given(output, monkeypatch):
    monkeypatch.setenv("KIVUKO_TEST_SECRET", "hush")
    assert output([CAT, "/proc/self/environ"], env={"TZ": "UTC"})[0] == "TZ=UTC\0"


def test_only_the_given_descriptors_are_open(python):
    spare = os.open("/etc/hosts", os.O_RDONLY)
    os.set_inheritable(spare, True)
    try:
        outcome = python("say('open', sorted(int(one) for one in os.listdir('/proc/self/fd')))\nsay('folder', os.getcwd())")
    finally:
        os.close(spare)
    assert outcome.said == {"open": [0, 1, 2, 3, 4], "folder": "/"}  # 4 reads the folder itself


@pytest.mark.parametrize("numbers", [(3, 4), (4, 3), (9, 5), (100, 3)])
def test_descriptors_take_their_places_however_they_lie(start, numbers):
    pipes = [os.pipe() for _ in numbers]
    script = f"import os; os.write({numbers[0]}, b'first'); os.write({numbers[1]}, b'second')"
    places = tuple({sys.prefix, sys.base_prefix, os.path.realpath(sys.executable)})
    child = start(
        [sys.executable, "-I", "-S", "-c", script],
        pass_fds={number: pipe[1] for number, pipe in zip(numbers, pipes, strict=True)},
        confinement=Confinement(executable=places),
    )
    for _, theirs in pipes:
        os.close(theirs)
    assert [os.read(ours, 100) for ours, _ in pipes] == [b"first", b"second"]
    assert child.wait() == 0
    child.close()
    for ours, _ in pipes:
        os.close(ours)


def test_a_process_is_the_leader_of_a_session_of_its_own(start):
    child = start([SLEEP, "60"])
    assert os.getsid(child.pid) == os.getpgid(child.pid) == child.pid
    child.kill()
    child.wait()
    child.close()


def test_killing_is_seen_and_may_be_repeated(start):
    child = start([SLEEP, "60"])
    assert child.poll() is None
    child.kill()
    assert child.wait() == -signal.SIGKILL
    child.kill()
    assert child.poll() == child.wait(0) == -signal.SIGKILL
    child.close()


def test_the_exit_descriptor_becomes_readable_at_the_end(start):
    child = start([SLEEP, "60"])
    poller = select.poll()
    poller.register(child.exit_fd, select.POLLIN)
    assert poller.poll(0) == []
    child.kill()
    assert poller.poll(PATIENCE_MS) != []
    assert child.wait() == -signal.SIGKILL
    child.close()


def test_waiting_can_be_bounded(start):
    child = start([SLEEP, "60"])
    assert child.wait(0.01) is None
    child.kill()
    assert child.wait(20) == -signal.SIGKILL
    child.close()


def test_a_program_that_does_not_exist_is_an_error_that_says_so(start):
    with pytest.raises(HostFailed, match="No such file") as caught:
        start(["/nowhere/program"])
    assert "execute" in caught.value.details


def test_a_program_that_may_not_be_executed_is_an_error_that_says_so(start, tmp_path):
    file = tmp_path / "no-program"
    file.write_text("text")
    with pytest.raises(HostFailed, match="Permission denied"):
        start([str(file)])


def test_no_descriptor_is_left_behind(start):
    start([CAT]).wait()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        child = start([CAT], confinement=Confinement(watch_connect=True))
        child.wait()
        child.close()
        if child.listener is not None:
            os.close(child.listener)
    with pytest.raises(HostFailed):
        start(["/nowhere/program"], confinement=Confinement(watch_connect=True))
    assert len(os.listdir("/proc/self/fd")) <= before


def test_the_listener_of_level_two_comes_along(start):
    child = start([CAT], confinement=Confinement(watch_connect=True))
    assert (child.listener is not None) == (Layer.CONNECT_WATCH in available_layers())
    assert (Layer.CONNECT_WATCH in child.missing) == (Layer.CONNECT_WATCH not in available_layers())
    child.wait()
    child.close()
    if child.listener is not None:
        os.close(child.listener)


def test_without_layers_a_program_is_only_started(output):
    text, status = output([CAT, "/etc/passwd", "/proc/self/status"], confinement=Confinement(layers=frozenset()))
    assert status == 0
    assert "root" in text
    assert "Seccomp:\t0" in text


@pytest.mark.parametrize("layer", sorted(available_layers() - {Layer.CONNECT_WATCH}, key=str), ids=lambda layer: layer.value)
def test_each_layer_stands_alone(output, layer):
    text, status = output([CAT, "/proc/self/status", "/etc/passwd"], confinement=Confinement(layers=frozenset({layer})))
    assert (status == 1) == (layer is Layer.LANDLOCK)
    assert ("Seccomp:\t2" in text) == (layer is Layer.SECCOMP)


def test_root_becomes_the_configured_user_and_others_stay_who_they_are(output):
    status = fields(output([CAT, "/proc/self/status"], confinement=Confinement(user=NOBODY))[0])
    uid, gid = NOBODY if ROOT else (os.getuid(), os.getgid())
    assert status["Uid"].split() == [str(uid)] * 4
    assert status["Gid"].split() == [str(gid)] * 4
    assert not ROOT or status["Groups"] == ""
    assert int(status["CapEff"], 16) == 0


def test_another_user_is_watched_and_tied_to_the_parent_too(start):
    child = start([SLEEP, "60"], confinement=Confinement(user=NOBODY, watch_connect=True))
    assert (child.listener is not None) == (Layer.CONNECT_WATCH in available_layers())
    if child.listener is not None:
        os.close(child.listener)
    child.kill()
    assert child.wait() == -signal.SIGKILL
    child.close()


PARENT = """
import os, sys, threading
from kivuko.engines.sandbox import Confinement, spawn
if sys.argv[1] == "threads":
    threading.Thread(target=threading.Event().wait, daemon=True).start()
child = spawn([sys.argv[2], "600"], env={}, pass_fds={}, confinement=Confinement(), stderr=2)
print(child.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=["one thread", "threads"])
def orphan(request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that has started a confined one, and the descriptor by which the latter's end is seen."""
    command = [sys.executable, "-c", PARENT, request.param.split()[0] if request.param == "threads" else "one", SLEEP]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        descriptor = os.pidfd_open(int(parent.stdout.readline()))
        yield parent, descriptor
        os.close(descriptor)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda one: one.name)
def test_a_confined_process_ends_with_its_parent_however_that_ends(orphan, end):
    parent, descriptor = orphan
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    assert poller.poll(0) == []
    parent.send_signal(end)
    assert poller.poll(PATIENCE_MS) != []


def test_a_process_started_from_a_thread_outlives_that_thread(python):
    null = os.open(os.devnull, os.O_RDWR)
    with ThreadPoolExecutor(1) as pool:
        child = pool.submit(lambda: spawn([SLEEP, "60"], env={}, pass_fds={}, confinement=Confinement(), stderr=null)).result()
    os.close(null)
    assert python("say('later', True)").said == {"later": True}
    assert child.poll() is None  # PDEATHSIG of the ended thread would have killed it before the other was born
    child.kill()
    assert child.wait() == -signal.SIGKILL
    child.close()


def test_many_threads_share_one_fork_server(python):
    def one(number: int) -> object:
        return python(f"say('number', {number})").said["number"]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(24))) == list(range(24))


def test_when_the_fork_server_ends_its_processes_end_and_are_seen_to():
    server = ForkServer()
    null = os.open(os.devnull, os.O_RDWR)
    child = server.spawn([SLEEP, "60"], {}, {0: null, 1: null, 2: null}, Confinement())
    descriptor = os.pidfd_open(child.pid)
    server.close()
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    assert poller.poll(PATIENCE_MS) != []
    assert child.wait() == -signal.SIGKILL
    child.kill()
    with pytest.raises(HostFailed, match="fork server"):
        server.spawn([CAT], {}, {0: null, 1: null, 2: null}, Confinement())
    for one in (descriptor, null):
        os.close(one)
    child.close()


def test_a_forked_copy_of_the_caller_neither_ends_the_server_nor_keeps_it_alive():
    server = ForkServer()
    stay, leave = os.pipe()
    copy = os.fork()
    if copy == 0:
        os.close(leave)
        os.read(stay, 1)  # holds a copy of the link all the while
        os._exit(0)
    gone = os.fork()
    if gone == 0:
        server.close()
        os._exit(int(server.alive))
    assert os.waitpid(gone, 0)[1] == 0
    assert server.alive
    server.close()
    assert not server.alive
    server.close()
    os.close(leave)
    os.waitpid(copy, 0)
    os.close(stay)


def test_the_fork_server_loads_nothing_but_the_sandbox():
    server = fork_server()
    with open(f"/proc/{server._process.pid}/environ", "rb") as stream:
        names = {entry.split(b"=")[0] for entry in stream.read().split(b"\0") if entry}
    assert names <= {b"LD_LIBRARY_PATH", b"LC_CTYPE"}
    with open(f"/proc/{server._process.pid}/maps") as stream:
        assert "tree_sitter" not in stream.read()


def test_the_caller_may_use_threads_and_signals_of_its_own_meanwhile(python):
    heard = threading.Event()
    previous = signal.signal(signal.SIGUSR1, lambda _number, _frame: heard.set())
    try:
        assert python("say('done', True)").said == {"done": True}
        os.kill(os.getpid(), signal.SIGUSR1)
        assert heard.wait(20)
    finally:
        signal.signal(signal.SIGUSR1, previous)
