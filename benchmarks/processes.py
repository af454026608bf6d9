"""What processes cost: CPU of whole trees and memory, from the kernel's own books (Linux)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import subprocess
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cost", "MemoryWatch", "adopt_orphans", "children_of", "cpu_of_tree_ms", "memory_mb", "run_once", "sockets_of"]

_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall clock and CPU (user and system, all processes that the command started) of one command."""

    wall_ms: float
    cpu_ms: float


def adopt_orphans() -> None:
    """Make processes whose parents end children of this one, so that nobody's CPU goes uncounted (prctl(2))."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def run_once(command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Cost:
    """Run a command to its end and reap everything it left behind. Raises CalledProcessError when it does not exit with 0."""
    others = set(children_of(os.getpid()))
    before, began = _reaped_ms(), time.perf_counter()
    done = subprocess.Popen(
        command, cwd=cwd, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output, _ = done.communicate()
    wall_ms = (time.perf_counter() - began) * 1000
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, list(command), output)
    for orphan in set(children_of(os.getpid())) - others:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(orphan, 0)
    return Cost(wall_ms, _reaped_ms() - before)


def _reaped_ms() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (usage.ru_utime + usage.ru_stime) * 1000


def children_of(pid: int) -> list[int]:
    """Process ids of the children of a process, those of its threads included."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += [int(word) for word in (task / "children").read_text().split()]
    return found


def cpu_of_tree_ms(without: Collection[int] = ()) -> float:
    """CPU used so far by this process, its living children (except ``without``) and the children it has reaped, in ms."""
    own = time.process_time() * 1000 + _reaped_ms()
    return own + sum(_cpu_ms(pid) for pid in children_of(os.getpid()) if pid not in without)


def _cpu_ms(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) * _TICK_MS


def memory_mb(pid: int, field: str = "VmRSS") -> float:
    """Resident memory of a process in MB: now (``VmRSS``) or the most it ever had (``VmHWM``); 0 when it has gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
    return 0.0


def sockets_of(pid: int) -> int:
    """How many sockets a process has open."""
    count = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            count += os.readlink(entry).startswith("socket:")
    return count


class MemoryWatch:
    """Watches a process and its descendants while they live: the most that each and all together had, by name, in MB."""

    def __init__(self, pid: int) -> None:
        self.together_mb = 0.0
        self.peaks_mb: dict[str, float] = {}
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.004):
            tree = [self._pid]
            for pid in tree:
                tree += children_of(pid)
            self.together_mb = max(self.together_mb, sum(memory_mb(pid) for pid in tree))
            for pid in tree:
                name = _name(pid)
                self.peaks_mb[name] = max(self.peaks_mb.get(name, 0.0), memory_mb(pid, "VmHWM"))


def _name(pid: int) -> str:
    try:
        return "node" if os.path.realpath(f"/proc/{pid}/exe").endswith("/node") else "python"
    except OSError:
        return "gone"
