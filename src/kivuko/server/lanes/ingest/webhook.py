"""``POST /i/<trigger id>`` and ``/i/<project id>/<custom path>``: webhook triggers, in OpenFn's words (platform §2.1)."""

from __future__ import annotations

import asyncio
import re

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kivuko.errors import MethodNotAllowed, RecordsUnavailable, RequestRefused, TriggerDisabled, Unauthenticated, UnknownAddress
from kivuko.records import Started
from kivuko.server.answers import bytes_answer, json_answer
from kivuko.server.headers import request_id_of
from kivuko.server.lanes.ingest.accepting import Arrival, Reception, Taken
from kivuko.server.lanes.ingest.authentication import Verdict
from kivuko.server.lanes.ingest.configuration import Configuration, Reply, Webhook
from kivuko.server.lanes.ingest.endings import Endings
from kivuko.server.lanes.ingest.entering import Sender, let_in, sender_of, unread_headers
from kivuko.server.lanes.ingest.rates import Rates
from kivuko.server.lanes.ingest.replies import Replied, too_late, webhook_reply
from kivuko.server.lanes.ingest.webhook_refusal import webhook_refusal

__all__ = ["WebhookLane"]

_PART = re.compile(r"[A-Za-z0-9_-]{1,255}\Z")
_FOUND = {"message": "OpenFn webhook trigger found. Make a POST request to execute this workflow."}


class WebhookLane:
    """The ASGI app behind ``/i/…``; mount it so that ``path`` keeps the whole path. ``endings`` is needed for replies after completion."""

    def __init__(self, configuration: Configuration, reception: Reception, endings: Endings, rates: Rates | None = None) -> None:
        self._configuration = configuration
        self._reception = reception
        self._endings = endings
        self._rates = rates or Rates()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        sender = sender_of(scope)
        request_id = request_id_of(sender.headers)
        try:
            answer = await self._answer(sender, receive, request_id)
        except (RequestRefused, RecordsUnavailable) as error:
            answer = webhook_refusal(_without_oracle(error), request_id, unread_headers(sender))
        except ClientDisconnect:
            return
        await answer(scope, receive, send)

    async def _answer(self, sender: Sender, receive: Receive, request_id: str) -> Response:
        if sender.method == "OPTIONS":
            # A browser asks without credentials, and learns nothing about what is here.
            return bytes_answer(b"", 204, request_id, headers={"allow": "GET, OPTIONS, POST"})
        path = tuple(part for part in sender.path.split("/") if part)
        addresses = _addresses(path)
        webhook, verdict = await let_in(
            lambda fresh: self._find(addresses, fresh), lambda webhook: webhook.entrance, lambda webhook: _check(webhook, sender), sender
        )
        if sender.method not in webhook.methods:
            return _other_method(webhook, sender, request_id)
        self._rates.take(webhook.target.trigger_id, webhook.entrance.rate)
        taken = await self._reception.take(_arrival(sender, path, webhook, verdict), (webhook.target,), receive)
        return await self._taken(webhook, taken, request_id)

    async def _find(self, addresses: tuple[str, ...], fresh: bool) -> Webhook | None:
        for address in addresses:
            found = await self._configuration.webhook(address, fresh=fresh)
            if found:
                return found
        return None

    async def _taken(self, webhook: Webhook, taken: Taken, request_id: str) -> Response:
        if taken.accepted.duplicate_of:
            content = {"work_order_id": None, "run_id": None, "message_id": str(taken.accepted.duplicate_of), "duplicate": True}
            return json_answer(content, 200, request_id)
        (started,) = taken.accepted.started
        # OpenFn's "run" is our Attempt.
        ids = {"work_order_id": str(started.work_order_id), "run_id": str(started.attempt_id)}
        headers = {"x-meta-work-order-id": ids["work_order_id"], "x-meta-run-id": ids["run_id"]}
        if webhook.reply is Reply.BEFORE_START:
            return json_answer(ids, 200, request_id, headers)
        reply = await self._reply(webhook, started)
        return json_answer(reply.content, reply.status, request_id, headers)

    async def _reply(self, webhook: Webhook, started: Started) -> Replied:
        try:
            (record,) = await self._endings.of([started.attempt_id], webhook.response_timeout_s)
            return await asyncio.to_thread(webhook_reply, self._endings.records, webhook, record.attempt)
        except (TimeoutError, RecordsUnavailable):
            # What was accepted stays accepted: a 503 would make the sender post it again.
            return too_late(webhook, started)


def _addresses(path: tuple[str, ...]) -> tuple[str, ...]:
    """What may be listening there: the trigger of the first part, or a project's custom path of the first two. Raises UnknownAddress."""
    named = path[1:3]
    if not named or not _PART.match(named[0]):
        raise UnknownAddress()
    first = named[0].lower()
    return (first, f"{first}/{named[1]}") if len(named) == 2 and _PART.match(named[1]) else (first,)


def _check(webhook: Webhook, sender: Sender) -> None:
    if not webhook.enabled and sender.method in webhook.methods:
        raise TriggerDisabled()


def _other_method(webhook: Webhook, sender: Sender, request_id: str) -> Response:
    if sender.method in ("GET", "HEAD"):
        return json_answer(_FOUND, 200, request_id)
    raise MethodNotAllowed(fix=f"Use {' or '.join(sorted(webhook.methods))}.")


def _without_oracle(error: RequestRefused | RecordsUnavailable) -> RequestRefused | RecordsUnavailable:
    """Who guesses secrets does not learn that there is something to guess at (platform §2.1)."""
    return UnknownAddress() if isinstance(error, Unauthenticated) and error.presented else error


def _arrival(sender: Sender, path: tuple[str, ...], webhook: Webhook, verdict: Verdict) -> Arrival:
    return Arrival(
        entrance=webhook.entrance,
        method=sender.method,
        path=path,
        query=sender.query,
        headers=sender.headers,
        source_ip=sender.ip,
        auth_method=verdict.method,
        trigger_id=webhook.target.trigger_id,
        query_is_body=sender.method == "GET",
        objects_only=True,
    )
