"""The benchmarks count what the kernel counts: all processes of a tree, and their memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import processes

BURN = "import time\nwhile time.process_time() < 0.3: pass\n"


def test_the_cpu_of_a_commands_children_counts(tmp_path: Path) -> None:
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}], check=True)"
    cost = processes.run_once([sys.executable, "-c", parent], tmp_path, os.environ)
    assert cost.cpu_ms >= 300


def test_a_command_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        processes.run_once([sys.executable, "-c", "raise SystemExit(3)"], tmp_path, os.environ)


def test_memory_of_the_living_is_known_and_of_the_gone_is_none() -> None:
    assert processes.memory_mb(os.getpid()) > 5
    assert processes.memory_mb(2**22 + 1) == 0


def test_children_of_a_process_are_found_while_they_live() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in processes.children_of(os.getpid())
        child.communicate(b"\n")
    assert child.pid not in processes.children_of(os.getpid())


def test_the_watch_sees_the_peak_of_a_tree() -> None:
    with (
        subprocess.Popen([sys.executable, "-c", "x = bytearray(80_000_000); input()"], stdin=subprocess.PIPE) as child,
        processes.MemoryWatch(child.pid) as watch,
    ):
        while watch.together_mb < 76:
            assert child.poll() is None
        child.communicate(b"\n")
    assert watch.peaks_mb["python"] >= 76
