"""The lanes' configuration, read from the platform: inboxes and webhooks as the lanes want them."""

from __future__ import annotations

from kivuko.platform.entrances import (
    AuthDigest,
    EntranceTarget,
    IdempotencySetting,
    InboxEntrance,
    WebhookEntrance,
    inbox_by_secret,
    webhook_by_address,
)
from kivuko.platform.reaching import reaching
from kivuko.server.lanes.ingest import (
    WEBHOOK_KINDS,
    AuthKind,
    AuthMethod,
    Entrance,
    IdempotencyRule,
    Inbox,
    Reply,
    Target,
    Webhook,
)

__all__ = ["PlatformEntrances"]

_USUAL_CODE = 201


class PlatformEntrances:
    """A ``ConfigurationSource`` over the platform. Called on threads."""

    def read_inbox(self, secret: str) -> Inbox | None:
        """The inbox with this secret as it is now. Raises RecordsUnavailable."""
        with reaching():
            found = inbox_by_secret(secret)
        return _inbox(found) if found else None

    def read_webhook(self, address: str) -> Webhook | None:
        """The webhook at this address as it is now. Raises RecordsUnavailable."""
        with reaching():
            found = webhook_by_address(address)
        return _webhook(found) if found else None


def _inbox(found: InboxEntrance) -> Inbox:
    entrance = Entrance(
        project_id=found.project_id,
        auth_methods=_methods(found.auth_methods),
        body_limit_bytes=found.body_limit_bytes,
        idempotency=_rule(found.idempotency),
    )
    targets = tuple(_target(each) for each in found.targets)
    return Inbox(found.inbox_id, entrance, targets, Reply(found.reply), until_us=found.ends_at_us)


def _webhook(found: WebhookEntrance) -> Webhook:
    return Webhook(
        entrance=Entrance(project_id=found.project_id, auth_methods=_methods(found.auth_methods), kinds=WEBHOOK_KINDS),
        target=_target(found.target),
        enabled=found.enabled,
        methods=frozenset(found.methods),
        reply=Reply(found.reply),
        success_code=found.success_code or _USUAL_CODE,
        error_code=found.error_code or _USUAL_CODE,
    )


def _methods(found: tuple[AuthDigest, ...]) -> tuple[AuthMethod, ...]:
    return tuple(AuthMethod(each.name, AuthKind(each.kind), each.digest) for each in found)


def _rule(found: IdempotencySetting | None) -> IdempotencyRule | None:
    return IdempotencyRule(found.header, found.path, found.window_s) if found else None


def _target(found: EntranceTarget) -> Target:
    return Target(
        found.trigger_id,
        found.workflow_id,
        found.snapshot_id,
        found.jobs,
        found.job_names,
        found.filter,
        found.cause,
        found.queue,
        found.needs,
    )
