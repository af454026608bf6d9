"""What workers and people report about Attempts. All are of one family and are carried out in order, under the Attempt's locks.

A report with a claim number older than the Attempt's is refused with StaleClaim: somebody else owns the work now. Reports about an Attempt
that was cancelled are answered as if all were well, and change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from kivuko.records.ids import Id
from kivuko.records.intents import Intent
from kivuko.records.rows import Dataclip
from kivuko.records.states import AttemptState, Cause, ExitReason

__all__ = [
    "Abandon",
    "Cancel",
    "EndAttempt",
    "EndRun",
    "Expire",
    "Follow",
    "HandBack",
    "Leave",
    "Park",
    "Report",
    "RunEnded",
    "StartAttempt",
    "StartRun",
]

R = TypeVar("R")


@dataclass(frozen=True)
class Report(Intent[R], Generic[R]):
    """Something about an Attempt."""

    family = "report"
    rank = 2
    attempt_id: Id

    @property
    def key(self) -> Id | None:
        """Reports about one Attempt keep their order."""
        return self.attempt_id


@dataclass(frozen=True)
class OwnedReport(Report[R]):
    """A report by the worker that claimed the Attempt."""

    claim_number: int


@dataclass(frozen=True)
class Follow:
    """A job that is reached: the id of the Run to be made, and its input, stored with it when it is not stored yet."""

    run_id: Id
    job_id: Id
    cause: Cause = Cause.EDGE
    input_dataclip_id: Id | None = None
    input_wire_id: str | None = None
    input: Dataclip | None = None


@dataclass(frozen=True)
class StartAttempt(OwnedReport[tuple[Id, ...]]):
    """The Attempt has begun. ``next`` are the jobs that the start node leads to; gives the ids of their Runs, in order."""

    next: tuple[Follow, ...] = ()


@dataclass(frozen=True)
class StartRun(OwnedReport[Id]):
    """A Run has begun; gives its id.

    A foreign worker invents ``wire_id``: then the first report for a job adopts the Run that waits, and ``run_id`` is for a new one.
    """

    run_id: Id
    job_id: Id
    wire_id: str | None = None
    input_dataclip_id: Id | None = None
    input_wire_id: str | None = None
    credential_id: Id | None = None
    adaptor: str | None = None


@dataclass(frozen=True)
class RunEnded:
    """The id of the Run that ended, and of those that follow it, in the order of ``next``; the Attempt's state if it ended with the Run."""

    run_id: Id
    next_ids: tuple[Id, ...]
    state: AttemptState | None = None


@dataclass(frozen=True)
class EndRun(OwnedReport[RunEnded]):
    """A Run has ended. ``error`` is JSON: name, message, operation, line. ``reported_at`` is the worker's clock in µs.

    ``ends`` is the end of the Attempt, where this was its last Run: both are kept, or neither.
    """

    run_id: Id
    job_id: Id
    reason: ExitReason
    wire_id: str | None = None
    error_type: str | None = None
    error: bytes | None = None
    output: Dataclip | None = None
    next: tuple[Follow, ...] = ()
    memory_bytes: int | None = None
    tries: int | None = None
    reported_at: int | None = None
    webhook_response: bytes | None = None
    ends: EndAttempt | None = None

    @property
    def ends_key(self) -> bool:
        """As the end of the Attempt."""
        return self.ends is not None

    @property
    def size_bytes(self) -> int:
        """The bodies, and about what the rows take."""
        clips = [self.output, *(follow.input for follow in self.next)]
        return 512 + sum(len(clip.body or b"") for clip in clips if clip)


@dataclass(frozen=True)
class EndAttempt(OwnedReport[AttemptState]):
    """The Attempt has ended; gives the state it has now. ``executed_ms`` is how long it ran since it was claimed.

    ``error`` is JSON as of ``EndRun``: what Runs that never began have to say.
    """

    reason: ExitReason
    error_type: str | None = None
    error: bytes | None = None
    final: Dataclip | None = None
    final_dataclip_id: Id | None = None
    final_wire_id: str | None = None
    executed_ms: int = 0
    webhook_response: bytes | None = None

    @property
    def ends_key(self) -> bool:
        """The Attempt's log lines that still wait go before: the log is complete when its end is seen."""
        return True


@dataclass(frozen=True)
class Park(OwnedReport[AttemptState]):
    """A job is to be tried again at ``available_at``, too long for a worker to wait: the Attempt waits in the queue."""

    available_at: int
    executed_ms: int = 0


@dataclass(frozen=True)
class HandBack(OwnedReport[AttemptState]):
    """The worker drains: it gives back what it has not begun."""


@dataclass(frozen=True)
class Abandon(OwnedReport[AttemptState]):
    """The worker has stopped the Attempt because it could not renew its lease: the same as the lease's end."""


@dataclass(frozen=True)
class Expire(OwnedReport[AttemptState]):
    """The lease is over (``LeaseWatch``), if its renewal is still this one."""

    renewed: int


@dataclass(frozen=True)
class Leave(OwnedReport[AttemptState]):
    """A foreign worker has left the topic: what it had begun and not ended is lost, a slot it held is free."""


@dataclass(frozen=True)
class Cancel(Report[AttemptState]):
    """Somebody cancels the Attempt; a state of claimed or started says that its worker has to stop first."""

    by: Id | None = None
