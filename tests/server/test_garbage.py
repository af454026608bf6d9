"""A process that serves is not held up by its own garbage collector, and still has one."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from kivuko.server.garbage import resting_garbage_collector, wake_garbage_collector

CODE = """
import gc
import weakref
from kivuko.server.garbage import calm_garbage_collector

class Ring:
    pass

kept = [Ring() for _ in range(1000)]
calm_garbage_collector()
assert gc.isenabled()
assert gc.get_freeze_count() > 1000
assert not any(type(each) is Ring for each in gc.get_objects())
first = Ring()
first.itself, seen = first, weakref.ref(first)
del first
made = 0
while seen() is not None:
    kept.append([made])
    made += 1
    assert made < 2_000_000
print("collected")
"""

SERVING = """
import gc, os, signal, sys, threading, time
from kivuko.cli import main

states = []

def watch():
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and states[-2:] != ["rests", "awake"]:
        state = "rests" if not gc.isenabled() else "awake" if gc.get_freeze_count() else "before"
        if states[-1:] != [state]:
            states.append(state)
        time.sleep(0.005)  # paced: a look
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=watch, daemon=True).start()
main()
print(states[-2:], file=sys.stderr)
"""


def test_what_the_start_made_is_passed_over_and_later_cycles_are_still_found() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "collected\n", done.stderr


def test_it_rests_while_the_process_starts_until_it_is_woken() -> None:
    with resting_garbage_collector():
        asleep = not gc.isenabled()
        wake_garbage_collector()
        assert asleep
        assert gc.isenabled()


def test_a_start_that_fails_leaves_it_awake() -> None:
    with pytest.raises(ValueError, match="no port"), resting_garbage_collector():
        raise ValueError("no port")
    assert gc.isenabled()


def test_a_server_that_has_started_has_it_awake(tmp_path: Path) -> None:
    words = ["serve", "--data", str(tmp_path), "--port", "0", "--no-worker"]
    done = subprocess.run([sys.executable, "-c", SERVING, *words], capture_output=True, text=True, timeout=90, check=False)
    assert done.stderr.splitlines()[-1] == "['rests', 'awake']", done.stderr
