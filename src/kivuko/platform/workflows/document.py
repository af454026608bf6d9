"""A workflow as one document: what the API takes and gives, what a snapshot holds, what everything else reads (api.md §2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from kivuko.records import Id

__all__ = [
    "CHAIN_KINDS",
    "SCHEDULE_KINDS",
    "TRIGGER_FIELDS",
    "EdgeDocument",
    "JobDocument",
    "TriggerDocument",
    "WorkflowDocument",
]

SCHEDULE_KINDS = ("cron", "interval")
CHAIN_KINDS = ("success", "failure", "always")

TRIGGER_FIELDS: Mapping[str, tuple[str, ...]] = {
    "message": ("inbox_id", "inclusion", "exclusion"),
    "webhook": ("custom_path", "methods", "reply", "success_code", "error_code", "auth_method_ids"),
    "cron": ("cron_expression", "timezone", "overlap", "catch_up", "cursor_job_id"),
    "interval": ("every", "anchor", "timezone", "overlap", "catch_up", "cursor_job_id"),
    "success": ("source_job_id", "source_workflow_id"),
    "failure": ("source_job_id", "source_workflow_id", "failure_input", "on_cancelled"),
    "always": ("source_job_id", "source_workflow_id", "failure_input", "on_cancelled"),
    "manual": (),
}
"""The kinds of triggers, each with the fields of its own."""


@dataclass(frozen=True)
class TriggerDocument:
    """What starts a workflow. Fields of other kinds have their defaults. ``timezone`` None is the project's.

    ``inclusion`` and ``exclusion`` are as they were written: JSON, or a text of JSON; None is blank.
    """

    id: Id
    kind: str
    enabled: bool = False
    name: str | None = None
    inbox_id: Id | None = None
    inclusion: object = None
    exclusion: object = None
    custom_path: str | None = None
    methods: tuple[str, ...] = ("POST",)
    reply: str = "before_start"
    success_code: int | None = None
    error_code: int | None = None
    auth_method_ids: tuple[Id, ...] = ()
    cron_expression: str | None = None
    every: str | None = None
    anchor: str | None = None
    timezone: str | None = None
    overlap: str = "queue"
    catch_up: str = "skip"
    cursor_job_id: Id | None = None
    source_job_id: Id | None = None
    source_workflow_id: Id | None = None
    failure_input: str | None = None
    on_cancelled: bool = False

    @property
    def title(self) -> str:
        """What people read: the name, or the kind of a trigger without one."""
        return self.name or self.kind

    def as_json(self) -> dict[str, object]:
        """JSON values: the common fields and those of its kind."""
        names = ("id", "kind", "name", "enabled", *TRIGGER_FIELDS[self.kind])
        return {name: _json(getattr(self, name)) for name in names}


@dataclass(frozen=True)
class JobDocument:
    """One expression and the adaptor it uses. ``enabled``: whether it is reached by automatic starts.

    ``retry`` says how often it is tried when a retryable error ends it (R-149): ``max_tries``, ``backoff_ms``, ``factor``, ``jitter``,
    ``max_backoff_ms``, all of them; None is off. ``notify``: ``each``, ``unhandled``, ``digest`` or ``never``.
    """

    id: Id
    name: str
    expression: str
    adaptor: str | None = None
    language: str = "javascript"
    credential_id: Id | None = None
    enabled: bool = True
    retry: Mapping[str, object] | None = None
    notify: str = "each"
    timeout_ms: int | None = None
    memory_mb: int | None = None

    def as_json(self) -> dict[str, object]:
        """JSON values."""
        return _as_json(self)


@dataclass(frozen=True)
class EdgeDocument:
    """A way from a trigger or a job to a job."""

    id: Id
    target_job_id: Id
    source_trigger_id: Id | None = None
    source_job_id: Id | None = None
    condition_type: str = "always"
    condition_expression: str | None = None
    condition_label: str | None = None
    enabled: bool = True
    failure_input: str | None = None

    def as_json(self) -> dict[str, object]:
        """JSON values."""
        return _as_json(self)


@dataclass(frozen=True)
class WorkflowDocument:
    """A whole workflow. ``positions`` are places on the canvas by the id of a job or trigger, ``{"x", "y"}``."""

    id: Id
    project_id: Id
    name: str
    enabled: bool = False
    concurrency: int | None = None
    job_logs: bool = True
    when_lost: str = "retry"
    triggers: tuple[TriggerDocument, ...] = ()
    jobs: tuple[JobDocument, ...] = ()
    edges: tuple[EdgeDocument, ...] = ()
    positions: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """JSON values, keys in the order of api.md."""
        return _as_json(self)

    def job(self, job_id: Id) -> JobDocument | None:
        """The job with this id."""
        return next((job for job in self.jobs if job.id == job_id), None)

    def trigger(self, trigger_id: Id) -> TriggerDocument | None:
        """The trigger with this id."""
        return next((trigger for trigger in self.triggers if trigger.id == trigger_id), None)

    def edges_from(self, node_id: Id) -> tuple[EdgeDocument, ...]:
        """The edges that leave a job or a trigger, in order."""
        return tuple(edge for edge in self.edges if node_id in (edge.source_trigger_id, edge.source_job_id))

    def open_edges_from(self, node_id: Id) -> tuple[EdgeDocument, ...]:
        """Those of them that can be followed automatically: enabled, and to a job that is."""
        on = {job.id for job in self.jobs if job.enabled}
        return tuple(edge for edge in self.edges_from(node_id) if edge.enabled and edge.target_job_id in on)


def _as_json(document: JobDocument | EdgeDocument | WorkflowDocument) -> dict[str, object]:
    return {each.name: _json(getattr(document, each.name)) for each in fields(document)}


def _json(value: object) -> object:
    if isinstance(value, Id):
        return str(value)
    if isinstance(value, tuple):
        return [_json(each) for each in value]
    if isinstance(value, TriggerDocument | JobDocument | EdgeDocument):
        return value.as_json()
    return value
