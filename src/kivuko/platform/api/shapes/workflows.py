"""The workflow document on the wire. Reading it is ``platform.workflows.reading``'s; these shapes are what the OpenAPI document tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from kivuko.platform.api.context import platform
from kivuko.platform.api.schedules import next_firings
from kivuko.platform.api.wire import IdText, Moment, Wire
from kivuko.platform.schedules.firings import schedule_of
from kivuko.platform.workflows.document import SCHEDULE_KINDS, TriggerDocument, WorkflowDocument
from kivuko.platform.workflows.snapshots import CurrentSnapshot

__all__ = ["SnapshotItem", "SnapshotWhole", "WorkflowShape", "WorkflowWritten", "document_json", "webhook_url", "workflow_json"]

_EXAMPLE: dict[str, Any] = {
    "name": "Referrals",
    "enabled": True,
    "triggers": [
        {"id": "0192f0a1-0000-7000-8000-000000000001", "kind": "message", "enabled": True,
         "inbox_id": "0192f0a1-0000-7000-8000-0000000000aa", "inclusion": {"form": {"@name": "Referral"}}}
    ],
    "jobs": [
        {"id": "0192f0a1-0000-7000-8000-000000000002", "name": "Referral", "adaptor": "@openfn/language-http@7.2.10",
         "expression": "post('https://example.org/referrals', $.data)"}
    ],
    "edges": [
        {"source_trigger_id": "0192f0a1-0000-7000-8000-000000000001", "target_job_id": "0192f0a1-0000-7000-8000-000000000002",
         "condition_type": "always"}
    ],
}  # fmt: skip


class Retry(Wire):
    """How often a job is tried when a retryable error ends it."""

    max_tries: int = 3
    backoff_ms: int = 1000
    factor: float = 2
    jitter: bool = True
    max_backoff_ms: int = 3_600_000


class TriggerShape(Wire):
    """What starts a workflow: the common fields, and those of its kind."""

    id: IdText | None = None
    kind: Literal["message", "webhook", "cron", "interval", "success", "failure", "always", "manual"]
    name: str | None = None
    enabled: bool = False
    inbox_id: Annotated[IdText | None, Field(description="message")] = None
    inclusion: Annotated[Any, Field(description="message: JSON, or a text of JSON; null takes everything")] = None
    exclusion: Annotated[Any, Field(description="message: JSON, or a text of JSON; null leaves nothing out")] = None
    custom_path: Annotated[str | None, Field(description="webhook")] = None
    methods: Annotated[list[str] | None, Field(description="webhook")] = None
    reply: Annotated[Literal["before_start", "after_completion", "custom"] | None, Field(description="webhook")] = None
    success_code: Annotated[int | None, Field(description="webhook")] = None
    error_code: Annotated[int | None, Field(description="webhook")] = None
    auth_method_ids: Annotated[list[IdText] | None, Field(description="webhook")] = None
    cron_expression: Annotated[str | None, Field(description="cron", examples=["0 23 * * FRI"])] = None
    every: Annotated[str | None, Field(description="interval", examples=["2 weeks"])] = None
    anchor: Annotated[str | None, Field(description="interval: a local date and time", examples=["2026-01-02T23:00"])] = None
    timezone: Annotated[str | None, Field(description="cron, interval; null is the project's")] = None
    overlap: Annotated[Literal["queue", "allow", "skip", "replace"] | None, Field(description="cron, interval")] = None
    catch_up: Annotated[Literal["skip", "once", "all"] | None, Field(description="cron, interval")] = None
    cursor_job_id: Annotated[IdText | None, Field(description="cron, interval")] = None
    source_job_id: Annotated[IdText | None, Field(description="success, failure, always")] = None
    source_workflow_id: Annotated[IdText | None, Field(description="success, failure, always")] = None
    failure_input: Annotated[Literal["initial", "at_error"] | None, Field(description="failure, always")] = None
    on_cancelled: Annotated[bool | None, Field(description="failure, always")] = None
    url: Annotated[str | None, Field(description="webhook: only in answers")] = None
    next_at: Annotated[Moment | None, Field(description="cron, interval: only in answers")] = None


class JobShape(Wire):
    """One expression and the adaptor it uses."""

    id: IdText | None = None
    name: str
    language: Literal["javascript"] = "javascript"
    adaptor: str
    expression: str
    credential_id: IdText | None = None
    enabled: bool = True
    retry: Retry | None = None
    notify: Literal["each", "unhandled", "digest", "never"] = "each"
    timeout_ms: int | None = None
    memory_mb: int | None = None


class EdgeShape(Wire):
    """A way from a trigger or a job to a job."""

    id: IdText | None = None
    source_trigger_id: IdText | None = None
    source_job_id: IdText | None = None
    target_job_id: IdText
    condition_type: Literal["always", "on_job_success", "on_job_failure", "js_expression"] = "always"
    condition_expression: str | None = None
    condition_label: str | None = None
    enabled: bool = True
    failure_input: Literal["initial", "at_error"] | None = None


class WorkflowWritten(Wire):
    """A workflow as it is written. Parts without an id get one; what is left out of a PUT is removed."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: IdText | None = None
    project_id: IdText | None = None
    name: str
    enabled: bool = False
    concurrency: int | None = None
    job_logs: bool = True
    when_lost: Literal["retry", "hold"] = "retry"
    triggers: Annotated[list[TriggerShape], Field(default_factory=list)]
    jobs: Annotated[list[JobShape], Field(default_factory=list)]
    edges: Annotated[list[EdgeShape], Field(default_factory=list)]
    positions: Annotated[dict[str, dict[str, float]], Field(default_factory=dict)]
    lock_version: int | None = None


class WorkflowShape(WorkflowWritten):
    """A workflow as it is."""

    lock_version: int
    snapshot_id: IdText


class SnapshotItem(Wire):
    """A version of a workflow, in a list."""

    id: IdText
    workflow_id: IdText
    lock_version: int
    author: str | None
    inserted_at: Moment


class SnapshotWhole(SnapshotItem):
    """A version of a workflow with its document."""

    document: WorkflowWritten


def webhook_url(document: WorkflowDocument, trigger: TriggerDocument) -> str:
    """Where a webhook trigger listens."""
    path = f"{document.project_id}/{trigger.custom_path}" if trigger.custom_path else str(trigger.id)
    return f"{platform().public_url}/i/{path}"


def workflow_json(current: CurrentSnapshot, project_timezone: str) -> dict[str, Any]:
    """A workflow as it is, with the addresses of its webhooks and the next firings of its schedules."""
    written = document_json(current.document, project_timezone)
    return {**written, "lock_version": current.lock_version, "snapshot_id": str(current.snapshot_id)}


def document_json(document: WorkflowDocument, project_timezone: str) -> dict[str, Any]:
    """The document with what its triggers say only in answers."""
    written: dict[str, Any] = dict(document.as_json())
    written["triggers"] = [{**trigger.as_json(), **_told(document, trigger, project_timezone)} for trigger in document.triggers]
    return written


def _told(document: WorkflowDocument, trigger: TriggerDocument, project_timezone: str) -> Mapping[str, Any]:
    if trigger.kind == "webhook":
        return {"url": webhook_url(document, trigger)}
    if trigger.kind not in SCHEDULE_KINDS:
        return {}
    if not (document.enabled and trigger.enabled):
        return {"next_at": None}
    (first,) = next_firings(schedule_of(trigger, project_timezone), platform().now_us(), 1)
    return {"next_at": first.as_json()["at"]}
