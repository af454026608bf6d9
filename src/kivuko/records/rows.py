"""The hot tables as typed rows: field order is column order, and a field's type is the column's (server-and-data §4.2).

Rows are mutable on purpose: a transaction loads them, changes them in memory and writes back what changed (``records.ledger``).
Times are µs UTC. ``inserted_at`` of a row with an ``id`` is in the id.
"""

from __future__ import annotations

from dataclasses import dataclass

from kivuko.records.ids import Id
from kivuko.records.states import (
    AttemptState,
    Cause,
    DataclipKind,
    Encoding,
    ExitReason,
    JobResult,
    LiveState,
    LogLevel,
    Needs,
    NoticeKind,
    Once,
    WorkOrderState,
)

__all__ = [
    "Attempt",
    "AttemptRun",
    "ClaimShare",
    "DailyStat",
    "Dataclip",
    "JobState",
    "LiveAttempt",
    "LogLine",
    "Message",
    "MessageVersion",
    "Notice",
    "OnceOnly",
    "Run",
    "StartGuard",
    "WorkOrder",
    "Worker",
]


@dataclass(slots=True)
class Message:
    """One accepted request. ``request`` is its JSON: method, path, query, headers without secrets."""

    id: Id
    project_id: Id
    inbox_id: Id | None = None
    trigger_id: Id | None = None
    request: bytes | None = None
    content_type: str | None = None
    source_ip: str | None = None
    auth_method: str | None = None
    size_bytes: int = 0
    sha256: bytes | None = None
    duplicate_of: Id | None = None
    newest_version: int = 1
    run_count: int = 0


@dataclass(slots=True)
class MessageVersion:
    """A body of a message: version 1 as received, later ones are edits."""

    message_id: Id
    version: int
    project_id: Id
    encoding: Encoding
    body: bytes | None
    object_key: Id | None
    size_bytes: int
    inserted_at: int
    author_id: Id | None = None
    wiped_at: int | None = None


@dataclass(slots=True)
class Dataclip:
    """Stored JSON that is no message: an output, a saved input, the state of a schedule."""

    id: Id
    project_id: Id
    kind: DataclipKind
    attempt_id: Id | None
    wire_id: str | None
    encoding: Encoding
    body: bytes | None
    object_key: Id | None
    size_bytes: int
    name: str | None = None
    pinned_by: Id | None = None
    wiped_at: int | None = None


@dataclass(slots=True)
class WorkOrder:
    """Asks for one input (a message's version or a dataclip) to be processed by one workflow."""

    id: Id
    project_id: Id
    workflow_id: Id
    snapshot_id: Id
    cause: Cause
    state: WorkOrderState
    last_activity_at: int
    trigger_id: Id | None = None
    parent_run_id: Id | None = None
    depth: int = 0
    message_id: Id | None = None
    message_version: int | None = None
    dataclip_id: Id | None = None


@dataclass(slots=True)
class Attempt:
    """One try at a work order."""

    id: Id
    project_id: Id
    work_order_id: Id
    workflow_id: Id
    snapshot_id: Id
    start_node: Id
    cause: Cause
    state: AttemptState
    retry_of: Id | None = None
    claim_number: int = 0
    expired_claims: int = 0
    executed_ms: int = 0
    worker_id: Id | None = None
    claimed_at: int | None = None
    started_at: int | None = None
    finished_at: int | None = None
    cancel_requested_at: int | None = None
    cancel_requested_by: Id | None = None
    error_type: str | None = None
    options: bytes | None = None
    final_dataclip_id: Id | None = None
    webhook_response: bytes | None = None


@dataclass(slots=True)
class LiveAttempt:
    """An entry of the queue: exists exactly as long as its Attempt is unfinished (or a foreign worker still holds its slot)."""

    attempt_id: Id
    project_id: Id
    workflow_id: Id
    queue: str
    priority: int
    available_at: int
    needs: Needs
    state: LiveState
    claim_number: int = 0
    worker_id: Id | None = None
    lease_until: int | None = None
    renewed: int = 0


@dataclass(slots=True)
class Run:
    """One execution of one job. ``error`` is JSON: name, message, operation, line."""

    id: Id
    project_id: Id
    attempt_id: Id
    job_id: Id
    snapshot_id: Id
    cause: Cause
    queued_at: int
    parent_run_id: Id | None = None
    message_id: Id | None = None
    message_version: int | None = None
    run_number: int | None = None
    credential_id: Id | None = None
    adaptor: str | None = None
    wire_id: str | None = None
    tries: int = 0
    started_at: int | None = None
    finished_at: int | None = None
    reported_finished_at: int | None = None
    exit_reason: ExitReason | None = None
    exit_code: int | None = None
    error_type: str | None = None
    error: bytes | None = None
    input_dataclip_id: Id | None = None
    output_dataclip_id: Id | None = None
    memory_bytes: int | None = None
    worker_id: Id | None = None


@dataclass(slots=True)
class AttemptRun:
    """A Run of an earlier Attempt that a retry shows but does not execute."""

    attempt_id: Id
    run_id: Id


@dataclass(slots=True)
class LogLine:
    """One line of an Attempt's log; ``seq`` counts from 1 within the Attempt."""

    attempt_id: Id
    seq: int
    run_id: Id | None
    level: LogLevel
    source: str
    at_us: int
    message: str


@dataclass(slots=True)
class JobState:
    """Result of the last Run of (message, job), with the keys that made it the last."""

    message_id: Id
    job_id: Id
    project_id: Id
    run_id: Id
    state: JobResult
    finished_at: int | None
    started_at: int | None


@dataclass(slots=True)
class StartGuard:
    """When (message, job) was last started directly, and by which Run (10-second rule)."""

    message_id: Id
    job_id: Id
    last_at: int
    run_id: Id


@dataclass(slots=True)
class OnceOnly:
    """Something that happened and may not happen again; ``target_id`` is what came of it."""

    kind: Once
    key: bytes
    target_id: Id
    answer: bytes | None = None
    expires_at: int | None = None


@dataclass(slots=True)
class Worker:
    """Who executes. ``is_foreign`` is 1 for OpenFn's own worker, which reports no frontier."""

    id: Id
    name: str
    version: str
    kinds: Needs
    is_foreign: int
    capacity: int
    slots_free: int
    last_seen_at: int


@dataclass(slots=True)
class DailyStat:
    """How many Attempts of a workflow ended in a state on a day (days since 1970, UTC)."""

    project_id: Id
    workflow_id: Id
    day: int
    state: AttemptState
    finished: int


@dataclass(slots=True)
class ClaimShare:
    """What the claim must know of a project or workflow: its limit and its last turn.

    ``max_live`` is how many Attempts may be under way: None for any number, 0 while it is paused.
    """

    scope_id: Id
    max_live: int | None
    served_at: int


@dataclass(slots=True)
class Notice:
    """An outbox row: somebody is to be told about a Run or an Attempt. Deleted when that is done."""

    id: Id
    project_id: Id
    kind: NoticeKind
    subject_id: Id
