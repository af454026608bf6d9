"""Models over the execution records' hot tables, so that lists and filters can be written with the ORM.

``kivuko.records`` owns the tables and every write to them: a ``save`` here would go past the writer, its locks and its counters, so the
managers refuse. Enumerations are their numbers (``kivuko.records.states``), times are µs UTC.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from django.db import models

from kivuko.platform.ids import IdField

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

M = TypeVar("M", bound=models.Model)


class Reading(models.Manager[M]):
    """Reads only."""

    def create(self, **values: Any) -> NoReturn:
        """Refuses: raises TypeError."""
        raise TypeError("the execution records are written by kivuko.records only")


class _Record(models.Model):
    class Meta:
        abstract = True

    def save(self, *args: Any, **values: Any) -> NoReturn:
        """Refuses: raises TypeError."""
        raise TypeError("the execution records are written by kivuko.records only")

    def delete(self, *args: Any, **values: Any) -> NoReturn:
        """Refuses: raises TypeError."""
        raise TypeError("the execution records are deleted by kivuko.records only")


class Attempt(_Record):
    """One try at a work order."""

    id = IdField(primary_key=True)
    project_id = IdField()
    work_order_id = IdField()
    workflow_id = IdField()
    snapshot_id = IdField()
    start_node = IdField()
    cause = models.SmallIntegerField()
    state = models.SmallIntegerField()
    retry_of = IdField(null=True)
    claim_number = models.BigIntegerField()
    expired_claims = models.BigIntegerField()
    executed_ms = models.BigIntegerField()
    worker_id = IdField(null=True)
    claimed_at = models.BigIntegerField(null=True)
    started_at = models.BigIntegerField(null=True)
    finished_at = models.BigIntegerField(null=True)
    cancel_requested_at = models.BigIntegerField(null=True)
    cancel_requested_by = IdField(null=True)
    error_type = models.TextField(null=True)
    options = models.BinaryField(null=True)
    final_dataclip_id = IdField(null=True)
    webhook_response = models.BinaryField(null=True)
    objects = Reading["Attempt"]()

    class Meta:
        """The records' table."""

        managed = False
        db_table = "attempt"


class AttemptRun(_Record):
    """A Run of an earlier Attempt that a retry shows but does not execute."""

    pk = models.CompositePrimaryKey("attempt_id", "run_id")
    attempt_id = IdField()
    run_id = IdField()
    objects = Reading["AttemptRun"]()

    class Meta:
        """The records' table."""

        managed = False
        db_table = "attempt_run"


class ClaimShare(_Record):
    """What the claim must know of a project or workflow: its limit and its last turn."""

    scope_id = IdField(primary_key=True)
    max_live = models.BigIntegerField(null=True)
    served_at = models.BigIntegerField()
    objects = Reading["ClaimShare"]()

    class Meta:
        """The records' table."""

        managed = False
        db_table = "claim_share"


class DailyStat(_Record):
    """How many Attempts of a workflow ended in a state on a day (days since 1970, UTC)."""

    pk = models.CompositePrimaryKey("project_id", "workflow_id", "day", "state")
    project_id = IdField()
    workflow_id = IdField()
    day = models.BigIntegerField()
    state = models.SmallIntegerField()
    finished = models.BigIntegerField()
    objects = Reading["DailyStat"]()

    class Meta:
        """The records' table."""

        managed = False
        db_table = "daily_stat"


class Dataclip(_Record):
    """Stored JSON that is no message: an output, a saved input, the state of a schedule."""

    id = IdField(primary_key=True)
    project_id = IdField()
    kind = models.SmallIntegerField()
    attempt_id = IdField(null=True)
    wire_id = models.TextField(null=True)
    encoding = models.SmallIntegerField()
    body = models.BinaryField(null=True)
    object_key = IdField(null=True)
    size_bytes = models.BigIntegerField()
    name = models.TextField(null=True)
    pinned_by = IdField(null=True)
    wiped_at = models.BigIntegerField(null=True)
    objects = Reading["Dataclip"]()

    class Meta:
        """The records' table."""

        managed = False
        db_table = "dataclip"


class JobState(_Record):
    """Result of the last Run of (message, job), with the keys that made it the last."""

    pk = models.CompositePrimaryKey("message_id", "job_id")
    message_id = IdField()
    job_id = IdField()
    project_id = IdField()
    run_id = IdField()
    state = models.SmallIntegerField()
    finished_at = models.BigIntegerField(null=True)
    started_at = models.BigIntegerField(null=True)
    objects = Reading["JobState"]()

    class Meta:
        """The records' table."""

        managed = False
        db_table = "job_state"


class LiveAttempt(_Record):
    """An entry of the queue: exists exactly as long as its Attempt is unfinished (or a foreign worker still holds its slot)."""

    attempt_id = IdField(primary_key=True)
    project_id = IdField()
    workflow_id = IdField()
    queue = models.TextField()
    priority = models.BigIntegerField()
    available_at = models.BigIntegerField()
    needs = models.SmallIntegerField()
    state = models.SmallIntegerField()
    claim_number = models.BigIntegerField()
    worker_id = IdField(null=True)
    lease_until = models.BigIntegerField(null=True)
    renewed = models.BigIntegerField()
    objects = Reading["LiveAttempt"]()

    class Meta:
        """The records' table."""

        managed = False
        db_table = "live_attempt"


class LogLine(_Record):
    """One line of an Attempt's log; ``seq`` counts from 1 within the Attempt."""

    pk = models.CompositePrimaryKey("attempt_id", "seq")
    attempt_id = IdField()
    seq = models.BigIntegerField()
    run_id = IdField(null=True)
    level = models.SmallIntegerField()
    source = models.TextField()
    at_us = models.BigIntegerField()
    message = models.TextField()
    objects = Reading["LogLine"]()

    class Meta:
        """The records' table."""

        managed = False
        db_table = "log_line"


class Message(_Record):
    """One accepted request. ``request`` is its JSON: method, path, query, headers without secrets."""

    id = IdField(primary_key=True)
    project_id = IdField()
    inbox_id = IdField(null=True)
    trigger_id = IdField(null=True)
    request = models.BinaryField(null=True)
    content_type = models.TextField(null=True)
    source_ip = models.TextField(null=True)
    auth_method = models.TextField(null=True)
    size_bytes = models.BigIntegerField()
    sha256 = models.BinaryField(null=True)
    duplicate_of = IdField(null=True)
    newest_version = models.BigIntegerField()
    run_count = models.BigIntegerField()
    objects = Reading["Message"]()

    class Meta:
        """The records' table."""

        managed = False
        db_table = "message"


class MessageVersion(_Record):
    """A body of a message: version 1 as received, later ones are edits."""

    pk = models.CompositePrimaryKey("message_id", "version")
    message_id = IdField()
    version = models.BigIntegerField()
    project_id = IdField()
    encoding = models.SmallIntegerField()
    body = models.BinaryField(null=True)
    object_key = IdField(null=True)
    size_bytes = models.BigIntegerField()
    inserted_at = models.BigIntegerField()
    author_id = IdField(null=True)
    wiped_at = models.BigIntegerField(null=True)
    objects = Reading["MessageVersion"]()

    class Meta:
        """The records' table."""

        managed = False
        db_table = "message_version"


class Notice(_Record):
    """An outbox row: somebody is to be told about a Run or an Attempt. Deleted when that is done."""

    id = IdField(primary_key=True)
    project_id = IdField()
    kind = models.SmallIntegerField()
    subject_id = IdField()
    objects = Reading["Notice"]()

    class Meta:
        """The records' table."""

        managed = False
        db_table = "notice"


class OnceOnly(_Record):
    """Something that happened and may not happen again; ``target_id`` is what came of it."""

    pk = models.CompositePrimaryKey("kind", "key")
    kind = models.SmallIntegerField()
    key = models.BinaryField()
    target_id = IdField()
    answer = models.BinaryField(null=True)
    expires_at = models.BigIntegerField(null=True)
    objects = Reading["OnceOnly"]()

    class Meta:
        """The records' table."""

        managed = False
        db_table = "once_only"


class Run(_Record):
    """One execution of one job. ``error`` is JSON: name, message, operation, line."""

    id = IdField(primary_key=True)
    project_id = IdField()
    attempt_id = IdField()
    job_id = IdField()
    snapshot_id = IdField()
    cause = models.SmallIntegerField()
    queued_at = models.BigIntegerField()
    parent_run_id = IdField(null=True)
    message_id = IdField(null=True)
    message_version = models.BigIntegerField(null=True)
    run_number = models.BigIntegerField(null=True)
    credential_id = IdField(null=True)
    adaptor = models.TextField(null=True)
    wire_id = models.TextField(null=True)
    tries = models.BigIntegerField()
    started_at = models.BigIntegerField(null=True)
    finished_at = models.BigIntegerField(null=True)
    reported_finished_at = models.BigIntegerField(null=True)
    exit_reason = models.SmallIntegerField(null=True)
    exit_code = models.BigIntegerField(null=True)
    error_type = models.TextField(null=True)
    error = models.BinaryField(null=True)
    input_dataclip_id = IdField(null=True)
    output_dataclip_id = IdField(null=True)
    memory_bytes = models.BigIntegerField(null=True)
    worker_id = IdField(null=True)
    objects = Reading["Run"]()

    class Meta:
        """The records' table."""

        managed = False
        db_table = "run"


class StartGuard(_Record):
    """When (message, job) was last started directly, and by which Run (10-second rule)."""

    pk = models.CompositePrimaryKey("message_id", "job_id")
    message_id = IdField()
    job_id = IdField()
    last_at = models.BigIntegerField()
    run_id = IdField()
    objects = Reading["StartGuard"]()

    class Meta:
        """The records' table."""

        managed = False
        db_table = "start_guard"


class WorkOrder(_Record):
    """Asks for one input (a message's version or a dataclip) to be processed by one workflow."""

    id = IdField(primary_key=True)
    project_id = IdField()
    workflow_id = IdField()
    snapshot_id = IdField()
    cause = models.SmallIntegerField()
    state = models.SmallIntegerField()
    last_activity_at = models.BigIntegerField()
    trigger_id = IdField(null=True)
    parent_run_id = IdField(null=True)
    depth = models.BigIntegerField()
    message_id = IdField(null=True)
    message_version = models.BigIntegerField(null=True)
    dataclip_id = IdField(null=True)
    objects = Reading["WorkOrder"]()

    class Meta:
        """The records' table."""

        managed = False
        db_table = "work_order"


class Worker(_Record):
    """Who executes. ``is_foreign`` is 1 for OpenFn's own worker, which reports no frontier."""

    id = IdField(primary_key=True)
    name = models.TextField()
    version = models.TextField()
    kinds = models.SmallIntegerField()
    is_foreign = models.BigIntegerField()
    capacity = models.BigIntegerField()
    slots_free = models.BigIntegerField()
    last_seen_at = models.BigIntegerField()
    objects = Reading["Worker"]()

    class Meta:
        """The records' table."""

        managed = False
        db_table = "worker"
