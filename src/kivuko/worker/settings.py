"""How a worker works."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from kivuko.adaptors import RepoSettings, default_folder
from kivuko.engines import EgressPolicy, Isolation
from kivuko.engines.egress import SELF_HOSTED
from kivuko.worker.workloops import Workloop, one_workloop

__all__ = ["LONGEST_WAIT_MS", "WorkerSettings"]

LONGEST_WAIT_MS = 60_000
"""A job that is tried again later than this has its Attempt parked: nobody waits here so long."""


@dataclass(frozen=True)
class WorkerSettings:
    """Settings of a worker (worker-protocol §12). What the server says of limits, in the plan, goes before the defaults here.

    ``workloops`` say how many Attempts are executed at once; ``most_hosts`` bounds the JavaScript processes (None: one for each slot).
    ``blank_hosts`` are kept ready. ``poll_s`` are the shortest and the longest pause between claims that found nothing. ``fences`` is False
    where nobody else can take the work (embedded, on SQLite). ``memory_mb``, ``payload_mb``, ``timeout_s`` are limits of an Attempt;
    ``log_mb`` bounds the log of one Run, ``log_line_kb`` one message. ``sandbox_user`` is the (uid, gid) of hosts when this is root.
    ``removed_keys`` never leave a job with its state. Log lines are sent in batches of ``batch_lines``, at the latest after ``batch_ms``.
    """

    name: str | None = None
    workloops: tuple[Workloop, ...] = one_workloop(5)
    repo_dir: Path = field(default_factory=default_folder)
    repo: RepoSettings = field(default_factory=RepoSettings)
    install: bool = True
    most_hosts: int | None = None
    blank_hosts: int = 1
    node: Path | None = None
    isolation: Isolation = Isolation.PROJECT
    egress: EgressPolicy = SELF_HOSTED
    sandbox_user: tuple[int, int] | None = None
    memory_mb: int = 500
    payload_mb: float = 10
    timeout_s: float = 300
    log_mb: float = 100
    log_line_kb: int = 64
    removed_keys: tuple[str, ...] = ("configuration", "response")
    batch_lines: int = 200
    batch_ms: int = 250
    poll_s: tuple[float, float] = (1, 10)
    fences: bool = True

    @property
    def capacity(self) -> int:
        """How many Attempts are executed at once."""
        return sum(loop.slots for loop in self.workloops)
