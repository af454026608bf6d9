"""What happens in an Attempt, told as it happens: the events of OpenFn's runtime (jobs-and-runtime §2.11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from kivuko.engines.run import RunError
from kivuko.value import value

__all__ = ["Event", "InitCompleted", "InitStarted", "JobCompleted", "JobFailed", "JobStarted", "Memory", "Observer"]


@value
class Memory:
    """Memory after a Run: JavaScript's heap (``job`` in OpenFn's payload) and the resident size of its host (``system``)."""

    heap_bytes: int
    rss_bytes: int


@value
class InitStarted:
    """The input and the credential of a job are being put together."""

    name: ClassVar[str] = "init-start"
    job_id: str
    run: int


@value
class InitCompleted:
    """A job is ready to start."""

    name: ClassVar[str] = "init-complete"
    job_id: str
    run: int
    duration_ms: float


@value
class JobStarted:
    """A Run starts with ``state`` as its input (JSON)."""

    name: ClassVar[str] = "job-start"
    job_id: str
    run: int
    state: bytes


@value
class JobCompleted:
    """A Run ended well. ``state`` is its output (JSON, None without one), ``next`` what follows; the duration counts from init-start."""

    name: ClassVar[str] = "job-complete"
    job_id: str
    run: int
    duration_ms: float
    state: bytes | None
    next: tuple[str, ...]
    memory: Memory


@value
class JobFailed:
    """A Run did not end well. ``state`` is its output with the error in it; the duration counts from job-start.

    Also told of timeouts and of states that are too large, where OpenFn is silent, so that no Run ends without its event.
    """

    name: ClassVar[str] = "job-error"
    job_id: str
    run: int
    duration_ms: float
    error: RunError
    state: bytes | None
    next: tuple[str, ...]


Event = InitStarted | InitCompleted | JobStarted | JobCompleted | JobFailed

Observer = Callable[[Event], None]
"""Who is told of events, in order; the Attempt waits for it. ``run`` numbers the Runs of an Attempt from 0. Triggers have no events."""
