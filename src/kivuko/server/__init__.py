"""The server's side of the house: what senders talk to. So far the lanes of ingest, which the server's process mounts.

A process opens ``Records``, makes a ``ConfigurationCache`` over its source, a ``Reception`` and ``Endings``, hands ``Endings.heard`` the
records' changes, and mounts ``ingest_routes(InboxLane(…), WebhookLane(…))``.
"""

from kivuko.server.accepting import Reception
from kivuko.server.authentication import AuthKind, AuthMethod, api_key, basic
from kivuko.server.cache import ConfigurationCache
from kivuko.server.configuration import (
    BODY_LIMIT_BYTES,
    WEBHOOK_KINDS,
    Configuration,
    ConfigurationSource,
    Entrance,
    Inbox,
    Reply,
    Target,
    Webhook,
)
from kivuko.server.endings import Endings
from kivuko.server.examiner import Examiner
from kivuko.server.idempotency import IdempotencyRule
from kivuko.server.inbox import InboxLane
from kivuko.server.rates import RateLimit, Rates
from kivuko.server.receiving import Receiving
from kivuko.server.routes import ingest_routes
from kivuko.server.webhook import WebhookLane

__all__ = [
    "BODY_LIMIT_BYTES",
    "WEBHOOK_KINDS",
    "AuthKind",
    "AuthMethod",
    "Configuration",
    "ConfigurationCache",
    "ConfigurationSource",
    "Endings",
    "Entrance",
    "Examiner",
    "IdempotencyRule",
    "Inbox",
    "InboxLane",
    "RateLimit",
    "Rates",
    "Receiving",
    "Reception",
    "Reply",
    "Target",
    "Webhook",
    "WebhookLane",
    "api_key",
    "basic",
    "ingest_routes",
]
