"""What lanes and workers read about one Attempt. Lists and filters for people are the platform's."""

from __future__ import annotations

from dataclasses import dataclass

from kivuko.errors import RecordMissing
from kivuko.records.database import Asked, Connection
from kivuko.records.ids import Id
from kivuko.records.leases import Held, Lease
from kivuko.records.payloads import Payloads
from kivuko.records.rows import Attempt, Dataclip, LiveAttempt, LogLine, Message, MessageVersion, Run, WorkOrder
from kivuko.records.states import Needs

__all__ = [
    "AttemptRecord",
    "ForeignHold",
    "goes_on",
    "held_attempts",
    "held_by_foreign_workers",
    "last_final_state",
    "last_output",
    "leases_held",
    "log_after",
    "read_attempt",
    "read_dataclip",
    "read_message_body",
    "read_run",
    "text_of_run",
    "unfinished_of_trigger",
    "waiting_by_queue",
]


@dataclass(frozen=True)
class AttemptRecord:
    """An Attempt with its work order and Runs, oldest first; ``shown`` are Runs of an earlier Attempt that it does not execute."""

    attempt: Attempt
    work_order: WorkOrder
    runs: tuple[Run, ...]
    shown: tuple[Run, ...]
    last_seq: int

    @property
    def frontier(self) -> tuple[Run, ...]:
        """The unfinished Runs: where a worker begins, or goes on."""
        return tuple(run for run in self.runs if run.finished_at is None)


def read_attempt(connection: Connection, attempt_id: Id) -> AttemptRecord:
    """Everything a plan or a page about an Attempt needs, in four statements. Raises RecordMissing."""
    attempts, orders, found, lines = connection.together(
        Asked("attempt_read", {"id": attempt_id}, Attempt),
        Asked("work_order_of_attempt", {"id": attempt_id}, WorkOrder),
        Asked("runs_read", {"id": attempt_id}, Run),
        Asked("last_lines", {"ids": [attempt_id]}),
    )
    if not attempts or not orders:
        raise RecordMissing(f"attempt {attempt_id} does not exist")
    return AttemptRecord(
        attempt=attempts[0],
        work_order=orders[0],
        runs=tuple(run for run in found if run.attempt_id == attempt_id),
        shown=tuple(run for run in found if run.attempt_id != attempt_id),
        last_seq=lines[0][1] if lines else 0,
    )


def read_run(connection: Connection, run_id: Id) -> Run:
    """A Run. Raises RecordMissing."""
    found = connection.load(Run, "run_read", id=run_id)
    if not found:
        raise RecordMissing(f"run {run_id} does not exist")
    return found[0]


def goes_on(connection: Connection, attempt_id: Id) -> bool:
    """Whether an unfinished Attempt goes on from its unfinished Runs, and not from its start node."""
    found = connection.load(LiveAttempt, "live_read", id=attempt_id)
    return bool(found) and bool(found[0].needs & Needs.FRONTIER)


def text_of_run(connection: Connection, run: Run, at_most: int = 10_000) -> str:
    """What a Run has written to its log, line by line."""
    return "\n".join(text for (text,) in connection.fetch("run_lines", attempt_id=run.attempt_id, run_id=run.id, at_most=at_most))


def read_dataclip(connection: Connection, payloads: Payloads, dataclip_id: Id) -> bytes:
    """The body of a dataclip. Raises RecordMissing or BodyWiped."""
    found = connection.load(Dataclip, "dataclip_read", id=dataclip_id)
    if not found:
        raise RecordMissing(f"dataclip {dataclip_id} does not exist")
    return payloads.read(found[0])


def read_message_body(connection: Connection, payloads: Payloads, message_id: Id, version: int) -> tuple[Message, bytes]:
    """A message and the body of one of its versions. Raises RecordMissing or BodyWiped."""
    messages, versions = connection.together(
        Asked("message_read", {"id": message_id}, Message),
        Asked("version_stored", {"message_id": message_id, "version": version}, MessageVersion),
    )
    if not messages or not versions:
        raise RecordMissing(f"version {version} of message {message_id} does not exist")
    return messages[0], payloads.read(versions[0])


def log_after(connection: Connection, attempt_id: Id, seq: int, at_most: int = 1000) -> list[LogLine]:
    """The lines of an Attempt's log after this number, in order: a stream resumes exactly."""
    return connection.load(LogLine, "lines_read", id=attempt_id, seq=seq, at_most=at_most)


@dataclass(frozen=True)
class ForeignHold:
    """What a foreign worker has begun: since when (µs), and the options of its Attempt (JSON)."""

    attempt_id: Id
    claim_number: int
    renewed: int
    started_at: int
    options: bytes | None


def held_by_foreign_workers(connection: Connection, before: int) -> list[ForeignHold]:
    """What OpenFn's own workers began before this time (µs) and have not ended: they stop at no time limit of ours."""
    return [ForeignHold(Id(found[0]), *found[1:]) for found in connection.fetch("held_by_foreign_workers", before=before)]


def leases_held(connection: Connection) -> list[Lease]:
    """Every lease, by the database's clock: for ``LeaseWatch``."""
    now_us = connection.now_us()
    return [Lease(Id(attempt), number, renewed, until - now_us) for attempt, number, renewed, until in connection.fetch("leases_held")]


def waiting_by_queue(connection: Connection) -> dict[str, tuple[int, int]]:
    """For each queue how many Attempts wait, and since when the oldest does (µs): for ``/metrics``."""
    return {queue: (count, Id(oldest).made_at_us) for queue, count, oldest in connection.fetch("waiting_by_queue")}


def held_attempts(connection: Connection, worker_id: Id) -> list[Held]:
    """What a worker holds: to be released when it is known to be gone (the embedded worker of an earlier process)."""
    return [Held(Id(attempt), number) for attempt, number in connection.fetch("held_attempts", worker_id=worker_id)]


def last_output(connection: Connection, job_id: Id) -> Id | None:
    """The output of a job's last successful Run: what its next tick begins with (R-024)."""
    found = connection.fetch("last_output_of_job", job_id=job_id)
    return Id(found[0][0]) if found else None


def last_final_state(connection: Connection, workflow_id: Id) -> Id | None:
    """The final state of a workflow's last successful Attempt."""
    found = connection.fetch("last_state_of_workflow", workflow_id=workflow_id)
    return Id(found[0][0]) if found else None


def unfinished_of_trigger(connection: Connection, workflow_id: Id, trigger_id: Id) -> list[Id]:
    """The unfinished Attempts that a trigger has started, oldest first: what a schedule's overlap policy looks at."""
    return [Id(found) for (found,) in connection.fetch("unfinished_of_trigger", workflow_id=workflow_id, trigger_id=trigger_id)]
