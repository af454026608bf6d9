"""The server's side of the house: what senders talk to. So far the lanes of ingest, which the server's process mounts.

A process opens ``Records``, makes a ``ConfigurationCache`` over its source, a ``Reception`` and ``Endings``, hands ``Endings.heard`` the
records' changes, and mounts ``ingest_routes(InboxLane(…), WebhookLane(…))``.
"""

from kivuko.server.lanes.ingest.accepting import Reception
from kivuko.server.lanes.ingest.alias import KeyedSource, alias_routes
from kivuko.server.lanes.ingest.authentication import AuthKind, AuthMethod, api_key, basic
from kivuko.server.lanes.ingest.cache import ConfigurationCache
from kivuko.server.lanes.ingest.configuration import (
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
from kivuko.server.lanes.ingest.endings import Endings
from kivuko.server.lanes.ingest.examiner import Examiner
from kivuko.server.lanes.ingest.idempotency import IdempotencyRule
from kivuko.server.lanes.ingest.inbox import InboxLane
from kivuko.server.lanes.ingest.rates import RateLimit, Rates
from kivuko.server.lanes.ingest.receiving import Receiving
from kivuko.server.lanes.ingest.routes import ingest_routes
from kivuko.server.lanes.ingest.webhook import WebhookLane

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
    "KeyedSource",
    "RateLimit",
    "Rates",
    "Receiving",
    "Reception",
    "Reply",
    "Target",
    "Webhook",
    "WebhookLane",
    "alias_routes",
    "api_key",
    "basic",
    "ingest_routes",
]
