"""What the lanes must know of inboxes and webhook triggers: typed values, and where they come from.

The values are complete: a request is decided without another look-up. ``kivuko.server.lanes.ingest.cache`` keeps them in memory.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from kivuko.records import Cause, Id, Needs
from kivuko.server.lanes.ingest.authentication import AuthMethod
from kivuko.server.lanes.ingest.bodies import BodyKind
from kivuko.server.lanes.ingest.idempotency import IdempotencyRule
from kivuko.server.lanes.ingest.rates import RateLimit
from kivuko.workflow.filters import MessageFilter

__all__ = [
    "BODY_LIMIT_BYTES",
    "WEBHOOK_KINDS",
    "Configuration",
    "ConfigurationSource",
    "Entrance",
    "Inbox",
    "Reply",
    "Target",
    "Webhook",
]

BODY_LIMIT_BYTES = 10 * 1024 * 1024

WEBHOOK_KINDS = frozenset({BodyKind.JSON, BodyKind.FORM, BodyKind.MULTIPART})
"""What a webhook trigger takes unless its options say more (platform §2.1); an inbox takes everything."""


class Reply(Enum):
    """When a sender is answered: as soon as the message is durable, or when all that it starts has ended."""

    BEFORE_START = "before_start"
    AFTER_COMPLETION = "after_completion"


@dataclass(frozen=True)
class Target:
    """What a match starts. ``jobs`` are the starting jobs that are reached unconditionally, in document order.

    ``job_names`` are those of all jobs behind the trigger, for the sender.
    """

    trigger_id: Id
    workflow_id: Id
    snapshot_id: Id
    jobs: tuple[Id, ...]
    job_names: tuple[str, ...] = ()
    filter: MessageFilter = field(default_factory=MessageFilter)
    cause: Cause = Cause.MESSAGE
    queue: str = "default"
    needs: Needs = Needs.JAVASCRIPT


@dataclass(frozen=True)
class Entrance:
    """What an inbox and a webhook have in common. ``auth_methods``: any one suffices; none at all means that the address is the secret."""

    project_id: Id
    auth_methods: tuple[AuthMethod, ...] = ()
    kinds: Collection[BodyKind] = frozenset(BodyKind)
    body_limit_bytes: int = BODY_LIMIT_BYTES
    idempotency: IdempotencyRule | None = None
    rate: RateLimit | None = None


@dataclass(frozen=True)
class Inbox:
    """A project's inbox with the message triggers that are on. ``id`` is not its secret: that is what it is looked up by.

    ``response_timeout_s`` is how long an answer after completion may take. ``until_us`` is when the secret ends, where it does (µs UTC).
    """

    id: Id
    entrance: Entrance
    targets: tuple[Target, ...] = ()
    reply: Reply = Reply.BEFORE_START
    response_timeout_s: float = 30.0
    until_us: int | None = None


@dataclass(frozen=True)
class Webhook:
    """A webhook trigger. Status codes are those of the answer ``after_completion``; ``response_timeout_s`` is how long that may take."""

    entrance: Entrance
    target: Target
    enabled: bool = True
    methods: Collection[str] = frozenset({"POST"})
    reply: Reply = Reply.BEFORE_START
    success_code: int = 201
    error_code: int = 201
    response_timeout_s: float = 30.0


class Configuration(Protocol):
    """Inboxes and webhooks by their addresses. ``fresh`` asks to read again, which an implementation may bound."""

    async def inbox(self, secret: str, *, fresh: bool = False) -> Inbox | None:
        """The inbox with this secret (a lower-case uuid), if there is one. Raises RecordsUnavailable."""

    async def webhook(self, address: str, *, fresh: bool = False) -> Webhook | None:
        """The webhook at ``<trigger id>`` or ``<project id>/<custom path>``, if there is one. Raises RecordsUnavailable."""


class ConfigurationSource(Protocol):
    """Where the configuration is kept; called on threads, so it may block."""

    def read_inbox(self, secret: str) -> Inbox | None:
        """The inbox with this secret as it is now. Raises RecordsUnavailable."""

    def read_webhook(self, address: str) -> Webhook | None:
        """The webhook at this address as it is now. Raises RecordsUnavailable."""
