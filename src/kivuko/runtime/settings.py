"""How an Attempt is executed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from kivuko.engines.run import EgressPolicy, Isolation
from kivuko.value import fresh, value

__all__ = ["DEFAULT_TIMEOUT_MS", "FAILURE_PATH_TIMEOUT_MS", "MOST_RUNS", "AttemptSettings", "Clock", "CompileSettings", "JobLimits"]

DEFAULT_TIMEOUT_MS = 300_000
"""How long a job may take when nobody says otherwise (OpenFn's command line)."""

FAILURE_PATH_TIMEOUT_MS = 60_000
"""What failure edges get after the Attempt's own time is up (engine.md §3)."""

MOST_RUNS = 10_000
"""Bound on the Runs of an Attempt (engine.md §10): twenty diamonds in a row would be a million."""


@value
class Clock:
    """Where an Attempt takes the time from: nanoseconds since the epoch, and nanoseconds that never jump."""

    now_ns: Callable[[], int] = time.time_ns
    monotonic_ns: Callable[[], int] = time.monotonic_ns


@value
class CompileSettings:
    """How the jobs of a workflow are compiled.

    ``compiled`` False: sources are modules as they stand (``--no-compile``). ``ignore_imports``: True binds no adaptor names at all,
    a set leaves those names out. ``strict`` False: a job that does not compile is no error now but crashes when it is reached, as on the
    server.
    """

    compiled: bool = True
    ignore_imports: bool | frozenset[str] = False
    strict: bool = True


@value
class JobLimits:
    """Limits that one job has of its own; None: those of the Attempt."""

    timeout_ms: int | None = None
    memory_mb: int | None = None


@value
class AttemptSettings:
    """Limits and manners of an Attempt.

    ``project`` and ``attempt`` are opaque texts (the boundary of hosts, and of adaptors' module state). ``timeout_ms`` bounds one Run: None
    takes the plan's, else five minutes; 0 means no bound. ``attempt_timeout_ms`` bounds the whole Attempt, None not at all.
    ``one_host`` lets jobs with different credentials share a host, as on the command line. ``remove_keys`` are the keys of state
    that do not leave a job. ``debug`` asks for debug lines. ``keep_states`` keeps input and output in the records of Runs. ``jobs`` holds
    what single jobs have of their own, by id.
    """

    project: str = "local"
    attempt: str = "1"
    timeout_ms: int | None = None
    attempt_timeout_ms: int | None = None
    memory_mb: int = 500
    state_mb: float | None = 500
    log_bytes: int | None = None
    log_message_bytes: int | None = None
    most_runs: int = MOST_RUNS
    remove_keys: tuple[str, ...] = ("configuration",)
    immutable: bool = False
    debug: bool = False
    keep_states: bool = False
    one_host: bool = True
    jobs: Mapping[str, JobLimits] = fresh(factory=dict)
    egress: EgressPolicy = fresh(factory=EgressPolicy)
    isolation: Isolation = Isolation.PROJECT
    clock: Clock = Clock()
