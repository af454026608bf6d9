"""How a command ends when someone stops it, and that nothing is left behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.conftest import KIVUKO, CommandLine

FN = "const fn = f => s => f(s);\n"
ENDLESS = FN + "fn(s => { console.log('started'); return new Promise(() => {}); })"
BUSY = FN + "fn(s => { console.log('started'); while (true); })"


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Read standard output up to a line with ``text``."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"{text!r} did not come: {seen}")


@contextmanager
def started(kivuko: CommandLine, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A call in a process group of its own, killed in the end whatever happens."""
    process = kivuko.start(*words, start_new_session=True)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def hosts_of(process: subprocess.Popen[str]) -> list[int]:
    """Handles of the processes that a command has started; each becomes readable when its process has ended."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [os.pidfd_open(int(child)) for child in children]


def assert_ended(hosts: list[int]) -> None:
    """All of them end, by themselves or because their command does, and soon."""
    assert hosts
    for handle in hosts:
        assert select.select([handle], [], [], 30)[0], "a host outlived its command"
        os.close(handle)


@pytest.mark.parametrize("job", [ENDLESS, BUSY], ids=["waiting", "busy"])
def test_an_interrupt_ends_with_130_and_leaves_no_process(kivuko: CommandLine, job: str) -> None:
    kivuko.write("a.js", job)
    with started(kivuko, "a.js") as process:
        read_until(process, "started")
        hosts = hosts_of(process)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate()
        assert process.returncode == 130
        assert "Traceback" not in err
        assert_ended(hosts)
    assert not (kivuko.folder / "output.json").exists()


def test_a_command_that_is_killed_leaves_no_host(kivuko: CommandLine) -> None:
    kivuko.write("a.js", BUSY)
    with started(kivuko, "a.js") as process:
        read_until(process, "started")
        hosts = hosts_of(process)
        process.kill()
        process.communicate()
        assert_ended(hosts)


def test_a_closed_pipe_ends_the_command_quietly(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => { for (let i = 0; i < 100000; i++) console.log('line ' + i); return s; })")
    with started(kivuko, "a.js") as process:
        read_until(process, "line 3")
        hosts = hosts_of(process)
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        process.wait()
        assert process.returncode == 141
        assert_ended(hosts)


def test_a_pipe_that_was_never_open_is_no_reason_for_a_stack_trace(kivuko: CommandLine) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{KIVUKO} --help | true; exit ${{PIPESTATUS[0]}}"],
        env=kivuko.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode in (0, 141)


def test_a_watched_job_runs_again_when_it_changes(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => { console.log('first'); return s; })")
    with started(kivuko, "a.js", "--watch") as process:
        assert "first" in read_until(process, "Waiting for changes")
        kivuko.write("a.js", FN + "fn(s => { console.log('second time'); return s; })")
        assert "second time" in read_until(process, "Waiting for changes")
        kivuko.write("a.js", "fn(s => )  // broken now")
        assert "Failed to compile" in read_until(process, "Waiting for changes")
        process.send_signal(signal.SIGINT)
        process.communicate()
        assert process.returncode == 130


def test_the_challenges_are_served_until_an_interrupt(kivuko: CommandLine) -> None:
    with started(kivuko, "challenges", "serve", "--port", "0") as process:
        assert "Serving the challenges at http://localhost:" in read_until(process, "Serving the challenges")
        process.send_signal(signal.SIGINT)
        process.communicate()
        assert process.returncode == 130


def test_a_full_disk_loses_no_result(kivuko: CommandLine) -> None:
    kivuko.write("a.js", FN + "fn(s => ({ ...s, precious: 1 }))")
    done = kivuko("a.js", "-o", "/dev/full")
    assert done.exit == 1
    assert "Cannot write to /dev/full" in done.out
    assert "No space left on device" in done.out
    assert '"precious": 1' in done.out
