"""The execution records: everything that must last about messages, work orders, Attempts, Runs, logs and job-states.

One writer carries out *intents* (typed values with a future) by group commit, on SQLite or PostgreSQL; reading goes through connections
that cannot write. Open them with ``Records``; hand over ``Ingest``, ``Claim``, the reports of ``kivuko.records.reports`` and the others.
"""

from kivuko.records.checking import Finding, check_records
from kivuko.records.claims import JOIN_WITHIN_US, Claim, Claimed, SetLimit
from kivuko.records.departed import ForgetWorkers
from kivuko.records.editing import Edit
from kivuko.records.election import Election
from kivuko.records.guards import RERUN_INTERVAL_US
from kivuko.records.ids import Id, new_id
from kivuko.records.ingest import Accepted, IdempotencyKey, Ingest, Skipped
from kivuko.records.intents import Change, Intent
from kivuko.records.leases import FOREIGN_LEASE_US, LEASE_US, Held, Lease, LeaseWatch, Register, Renew, Renewal, Unpark
from kivuko.records.logs import Line, WriteLogs
from kivuko.records.moving import move_records
from kivuko.records.notices import Dismiss, is_handled, waiting_notices
from kivuko.records.opening import Records, database_at
from kivuko.records.payloads import ObjectFolder, ObjectStore, Payload, Payloads
from kivuko.records.pins import Pin
from kivuko.records.postgresql import PostgresqlDatabase
from kivuko.records.reading import (
    AttemptRecord,
    goes_on,
    held_attempts,
    last_final_state,
    last_output,
    leases_held,
    log_after,
    read_attempt,
    read_dataclip,
    read_message_body,
    read_run,
    text_of_run,
    unfinished_of_trigger,
    waiting_by_queue,
)
from kivuko.records.reports import (
    Abandon,
    Cancel,
    EndAttempt,
    EndRun,
    Expire,
    Follow,
    HandBack,
    Leave,
    Park,
    RunEnded,
    StartAttempt,
    StartRun,
)
from kivuko.records.retention import DeleteHistory, Forget, Part, Vacuum, WipeBodies, Wiped, oldest_kept
from kivuko.records.retrying import Retry
from kivuko.records.rows import Attempt, Dataclip, JobState, LogLine, Message, MessageVersion, Notice, Run, Worker, WorkOrder
from kivuko.records.rules import NoRules, Rules, RunEnd, WorkflowEnd
from kivuko.records.schema import SchemaFile, apply_schema, schema_files
from kivuko.records.sqlite import SqliteDatabase
from kivuko.records.starting import Input, Origin, Start, Started, new_start
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
from kivuko.records.sweeping import sweep_objects
from kivuko.records.work import AlreadyStarted, Happening, StartWork

__all__ = [
    "FOREIGN_LEASE_US",
    "JOIN_WITHIN_US",
    "LEASE_US",
    "RERUN_INTERVAL_US",
    "Abandon",
    "Accepted",
    "AlreadyStarted",
    "Attempt",
    "AttemptRecord",
    "AttemptState",
    "Cancel",
    "Cause",
    "Change",
    "Claim",
    "Claimed",
    "Dataclip",
    "DataclipKind",
    "DeleteHistory",
    "Dismiss",
    "Edit",
    "Election",
    "Encoding",
    "EndAttempt",
    "EndRun",
    "ExitReason",
    "Expire",
    "Finding",
    "Follow",
    "Forget",
    "ForgetWorkers",
    "HandBack",
    "Happening",
    "Held",
    "Id",
    "IdempotencyKey",
    "Ingest",
    "Input",
    "Intent",
    "JobResult",
    "JobState",
    "Lease",
    "LeaseWatch",
    "Leave",
    "Line",
    "LiveState",
    "LogLevel",
    "LogLine",
    "Message",
    "MessageVersion",
    "Needs",
    "NoRules",
    "Notice",
    "NoticeKind",
    "ObjectFolder",
    "ObjectStore",
    "Once",
    "Origin",
    "Park",
    "Part",
    "Payload",
    "Payloads",
    "Pin",
    "PostgresqlDatabase",
    "Records",
    "Register",
    "Renew",
    "Renewal",
    "Retry",
    "Rules",
    "Run",
    "RunEnd",
    "RunEnded",
    "SchemaFile",
    "SetLimit",
    "Skipped",
    "SqliteDatabase",
    "Start",
    "StartAttempt",
    "StartRun",
    "StartWork",
    "Started",
    "Unpark",
    "Vacuum",
    "WipeBodies",
    "Wiped",
    "WorkOrder",
    "WorkOrderState",
    "Worker",
    "WorkflowEnd",
    "WriteLogs",
    "apply_schema",
    "check_records",
    "database_at",
    "goes_on",
    "held_attempts",
    "is_handled",
    "last_final_state",
    "last_output",
    "leases_held",
    "log_after",
    "move_records",
    "new_id",
    "new_start",
    "oldest_kept",
    "read_attempt",
    "read_dataclip",
    "read_message_body",
    "read_run",
    "schema_files",
    "sweep_objects",
    "text_of_run",
    "unfinished_of_trigger",
    "waiting_by_queue",
    "waiting_notices",
]
