"""``kivuko worker`` as a process, over a websocket, until a signal."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest

from kivuko.records import AttemptState
from server.lanes.workers.serving import SECRET, Serving
from systems.adaptor_repo import kivuko_command
from worker.rooms import Room, flow

COUNT = "fn(s => ({ ...s, n: 1 }))"
SLOW = "fn(async s => { console.log('under way'); await new Promise(done => setTimeout(done, 800)); return s })"
HANG = "fn(async s => { console.log('under way'); await new Promise(() => {}); })"

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def serving(room: Room) -> Iterator[Serving]:
    """The lane on a port."""
    with Serving(room.world) as opened:
        yield opened


@pytest.fixture
def start(room: Room, serving: Serving, tmp_path: Path) -> Iterator[Start]:
    """Starts workers; they are gone after the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(*flags: str, secret: str = SECRET) -> subprocess.Popen[str]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "WORKER_SECRET": secret, "WORKER_BACKOFF": "0.05/0.2"}
        command = [kivuko_command(), "worker", serving.url, "--repo-dir", str(tmp_path / "repo"), "--name", "remote", *flags]
        process = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def status(port: int, path: str) -> int:
    """What the worker's own HTTP answers; 0 while it does not."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return int(answer.status)
    except HTTPError as refusal:
        refusal.close()
        return refusal.code
    except (URLError, ConnectionError):
        return 0


def test_a_remote_worker_executes_and_drains_on_sigterm(room: Room, start: Start) -> None:
    process = start()
    document = flow({"One": COUNT, "Two": COUNT}, (None, "One", "always"), ("One", "Two", "always"))
    attempt = room.run(document, {"big": "x" * 300_000})
    assert attempt.state is AttemptState.SUCCESS
    assert room.state(attempt.final_dataclip_id)["data"] == {"big": "x" * 300_000}
    slow = room.send(flow({"Slow": SLOW}))
    room.until_logged(slow.attempt_id, "under way")
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Stopping: waiting up to 60 s for 1 attempts under way" in said
    assert room.world.attempt(slow.attempt_id).state is AttemptState.SUCCESS


def test_what_is_not_over_after_the_grace_is_given_up(room: Room, start: Start) -> None:
    process = start("--grace", "0.2")
    hanging = room.send(flow({"Hang": HANG}))
    room.until_logged(hanging.attempt_id, "under way")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 1
    assert room.world.attempt(hanging.attempt_id).state is AttemptState.LOST


def test_a_second_signal_ends_at_once(room: Room, start: Start) -> None:
    process = start()
    hanging = room.send(flow({"Hang": HANG}))
    room.until_logged(hanging.attempt_id, "under way")
    process.send_signal(signal.SIGTERM)
    assert process.stdout
    assert any("Stopping" in line for line in process.stdout)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 130


def test_whoever_watches_processes_is_answered(room: Room, start: Start) -> None:
    port = free_port()
    start("--port", str(port))
    room.until(lambda: status(port, "/readyz") == 200)
    assert [status(port, path) for path in ("/", "/livez", "/elsewhere")] == [200, 200, 404]


def test_a_wrong_secret_is_told(room: Room, start: Start) -> None:
    port = free_port()
    process = start("--port", str(port), secret="another" * 5)
    room.until(lambda: status(port, "/livez") == 200)
    assert status(port, "/readyz") == 503
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=30)
    assert "is WORKER_SECRET the same?" in said
    assert "another" not in said


def test_a_signal_is_heard_whenever_it_comes() -> None:
    # In a process of its own: the interpreter has one place for the bell that signals ring.
    program = """
import signal
from kivuko.worker.process import Signals
for delay_us in range(1, 400):
    signals = Signals(signal.SIGALRM)
    signal.setitimer(signal.ITIMER_REAL, delay_us % 100 / 1e6 + 1e-6)
    assert signals.wait() == signal.SIGALRM
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_without_a_secret_it_does_not_start(start: Start) -> None:
    process = start(secret="")
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "WORKER_SECRET" in said
