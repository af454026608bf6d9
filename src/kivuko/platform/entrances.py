"""What the lanes must know of inboxes and webhooks, complete: a request is decided without another query (server-and-data §5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_bytes

from django.db.models import Q
from django.utils import timezone

from kivuko.platform.ids import read_id
from kivuko.platform.inbox.models import AuthMethod, Inbox, InboxSecret
from kivuko.platform.reaching import reaching
from kivuko.platform.sealing import open_from
from kivuko.platform.workflows.document import TriggerDocument, WorkflowDocument
from kivuko.platform.workflows.models import TriggerRow
from kivuko.platform.workflows.snapshots import read_snapshot
from kivuko.platform.workflows.starts import jobs_behind, needs_from, starting_jobs
from kivuko.records import Cause, Id, Needs
from kivuko.workflow.filters import MessageFilter, read_filter

__all__ = [
    "AuthDigest",
    "EntranceTarget",
    "IdempotencySetting",
    "InboxEntrance",
    "WebhookEntrance",
    "inbox_by_secret",
    "message_targets",
    "webhook_by_address",
]


@dataclass(frozen=True)
class AuthDigest:
    """A secret that is accepted: ``kind`` is ``api_key`` or ``basic``, ``digest`` the SHA-256 of the key or of ``username:password``."""

    name: str
    kind: str
    digest: bytes = field(repr=False)


@dataclass(frozen=True)
class IdempotencySetting:
    """What makes two requests the same: a header, or a path into the body, and for how long."""

    header: str | None
    path: tuple[str, ...] | None
    window_s: int


@dataclass(frozen=True)
class EntranceTarget:
    """What a match starts. ``jobs`` are the starting jobs that are reached whatever comes; ``job_names`` are those of all behind it."""

    trigger_id: Id
    workflow_id: Id
    snapshot_id: Id
    jobs: tuple[Id, ...]
    job_names: tuple[str, ...]
    filter: MessageFilter
    cause: Cause
    queue: str
    needs: Needs


@dataclass(frozen=True)
class InboxEntrance:
    """An inbox with the message triggers that are on. ``reply``: ``before_start`` or ``after_completion``.

    ``ends_at_us`` is when the secret that it was found by stops to be one (a rotated one, after its overlap); None: never.
    """

    inbox_id: Id
    project_id: Id
    auth_methods: tuple[AuthDigest, ...]
    body_limit_bytes: int
    idempotency: IdempotencySetting | None
    reply: str
    targets: tuple[EntranceTarget, ...]
    ends_at_us: int | None = None


@dataclass(frozen=True)
class WebhookEntrance:
    """A webhook trigger. ``enabled``: it, its workflow and something behind it are on. None for a code is the usual one."""

    project_id: Id
    auth_methods: tuple[AuthDigest, ...]
    enabled: bool
    methods: tuple[str, ...]
    reply: str
    success_code: int | None
    error_code: int | None
    target: EntranceTarget


@reaching()
def inbox_by_secret(secret: str) -> InboxEntrance | None:
    """The inbox at ``/inbox/<secret>`` (a lower-case uuid); None for what is none, or whose secret is no longer valid.

    Raises RecordsUnavailable.
    """
    valid = Q(ends_at__isnull=True) | Q(ends_at__gt=timezone.now())
    found = InboxSecret.objects.select_related("inbox").filter(valid, digest=sha256(secret.encode()).digest()).first()
    if found is None:
        return None
    inbox = found.inbox
    project = inbox.project_id
    if not Inbox.objects.filter(id=inbox.id, project__deleted_at__isnull=True).exists():
        return None
    return InboxEntrance(
        inbox_id=inbox.id,
        project_id=project,
        auth_methods=_auth_methods(project, [read_id(each) for each in inbox.auth_method_ids]),
        body_limit_bytes=inbox.body_limit_bytes,
        idempotency=_idempotency(inbox.idempotency),
        reply=inbox.reply,
        targets=message_targets(inbox.id),
        ends_at_us=round(found.ends_at.timestamp() * 1_000_000) if found.ends_at else None,
    )


@reaching()
def webhook_by_address(address: str) -> WebhookEntrance | None:
    """The webhook at ``<trigger id>`` or ``<project id>/<custom path>``; None where nothing listens. Raises RecordsUnavailable."""
    first, _, path = address.partition("/")
    identity = read_id(first)
    if identity is None:
        return None
    asked = Q(project_id=identity, custom_path=path) if path else Q(id=identity)
    there = Q(kind="webhook", archived_at__isnull=True, workflow__deleted_at__isnull=True, project__deleted_at__isnull=True)
    found = TriggerRow.objects.select_related("workflow").filter(asked, there).first()
    if found is None or found.workflow.snapshot_id is None:
        return None
    document = read_snapshot(found.workflow.snapshot_id)
    trigger = document.trigger(found.id)
    if trigger is None:
        return None
    target = _target(document, found.workflow.snapshot_id, trigger, Cause.WEBHOOK)
    synchronous = trigger.reply != "before_start"
    return WebhookEntrance(
        project_id=document.project_id,
        auth_methods=_auth_methods(document.project_id, list(trigger.auth_method_ids)),
        enabled=document.enabled and trigger.enabled and bool(target.job_names),
        methods=trigger.methods,
        # What a job sets as webhookResponse is sent whenever the end is waited for: "custom" is that.
        reply="after_completion" if synchronous else "before_start",
        success_code=trigger.success_code,
        error_code=trigger.error_code,
        target=EntranceTarget(**{**target.__dict__, "queue": "fast_lane"}) if synchronous else target,
    )


def message_targets(inbox_id: Id) -> tuple[EntranceTarget, ...]:
    """By workflow in order of creation, then in document order: so are runs numbered that begin together."""
    on = TriggerRow.objects.filter(inbox_id=inbox_id, kind="message", enabled=True, archived_at__isnull=True, workflow__enabled=True)
    rows = on.filter(workflow__deleted_at__isnull=True).select_related("workflow")
    targets = []
    for row in rows.order_by("workflow__inserted_at", "workflow_id", "place"):
        if row.workflow.snapshot_id is None:
            continue
        document = read_snapshot(row.workflow.snapshot_id)
        trigger = document.trigger(row.id)
        if trigger is not None:
            targets.append(_target(document, row.workflow.snapshot_id, trigger, Cause.MESSAGE))
    return tuple(target for target in targets if target.job_names)


def _target(document: WorkflowDocument, snapshot_id: Id, trigger: TriggerDocument, cause: Cause) -> EntranceTarget:
    return EntranceTarget(
        trigger_id=trigger.id,
        workflow_id=document.id,
        snapshot_id=snapshot_id,
        jobs=starting_jobs(document, trigger.id),
        job_names=tuple(job.name for job in jobs_behind(document, trigger.id)),
        filter=read_filter(trigger.inclusion, trigger.exclusion),
        cause=cause,
        queue="default",
        needs=needs_from(document, trigger.id),
    )


def _auth_methods(project_id: Id, ids: list[Id | None]) -> tuple[AuthDigest, ...]:
    """The methods of these ids. When none of them is there any more, nobody is let in: the entrance was meant to be closed."""
    if not ids:
        return ()
    rows = AuthMethod.objects.filter(project_id=project_id, id__in=[each for each in ids if each is not None])
    found = tuple(AuthDigest(row.name, row.kind, open_from(row, row.sealed)) for row in rows.order_by("id"))
    return found or (AuthDigest("none", "api_key", token_bytes(32)),)


def _idempotency(setting: dict[str, object] | None) -> IdempotencySetting | None:
    if not setting:
        return None
    header, path = setting.get("header"), setting.get("path")
    steps = tuple(str(step) for step in path) if isinstance(path, list) else tuple(str(path).split(".")) if path else None
    return IdempotencySetting(str(header) if header else None, steps, int(str(setting.get("window_s") or 24 * 3600)))
