"""``POST /inbox/<uuid>``: a project's inbox (R-040 to R-045, R-052)."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kivuko.errors import MethodNotAllowed, RecordsUnavailable, RequestRefused, UnknownAddress
from kivuko.server.answers import bytes_answer, json_answer, problem
from kivuko.server.headers import request_id_of
from kivuko.server.lanes.ingest.accepting import Arrival, Reception, Taken
from kivuko.server.lanes.ingest.authentication import Verdict
from kivuko.server.lanes.ingest.bodies import SALESFORCE_ACKNOWLEDGEMENT, Protocol
from kivuko.server.lanes.ingest.configuration import Configuration, Inbox, Reply
from kivuko.server.lanes.ingest.endings import Endings
from kivuko.server.lanes.ingest.entering import Sender, let_in, sender_of, unread_headers
from kivuko.server.lanes.ingest.inbox_reply import finished_reply
from kivuko.server.lanes.ingest.rates import Rates

__all__ = ["InboxLane"]

_ADDRESS = re.compile(r"/inbox/([0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})/?\Z")
_ALLOW = {"allow": "POST, HEAD, OPTIONS"}
_OPENROSA = {"x-openrosa-version": "1.0"}
_OPENROSA_ACCEPTED = (
    b'<OpenRosaResponse xmlns="http://openrosa.org/http/response"><message nature="submit_success">Accepted.</message></OpenRosaResponse>'
)


class InboxLane:
    """The ASGI app behind ``/inbox/<uuid>``; mount it so that ``path`` keeps the whole path."""

    def __init__(
        self,
        configuration: Configuration,
        reception: Reception,
        endings: Endings,
        rates: Rates | None = None,
        *,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._configuration = configuration
        self._reception = reception
        self._endings = endings
        self._rates = rates or Rates()
        self._now_us = now_us

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        sender = sender_of(scope)
        request_id = request_id_of(sender.headers)
        try:
            answer = await self._answer(sender, receive, request_id)
        except (RequestRefused, RecordsUnavailable) as error:
            allow = _ALLOW if isinstance(error, MethodNotAllowed) else {}
            answer = problem(error, request_id, {**unread_headers(sender), **allow})
        except ClientDisconnect:
            return
        await answer(scope, receive, send)

    async def _answer(self, sender: Sender, receive: Receive, request_id: str) -> Response:
        secret = _secret(sender.path)
        inbox, verdict = await let_in(lambda fresh: self._find(secret, fresh), lambda inbox: inbox.entrance, lambda inbox: None, sender)
        if sender.method == "HEAD":
            limit = {"x-openrosa-accept-content-length": str(inbox.entrance.body_limit_bytes)}
            return bytes_answer(b"", 204, request_id, headers={**_OPENROSA, **limit})
        if sender.method == "OPTIONS":
            return bytes_answer(b"", 204, request_id, headers=_ALLOW)
        if sender.method != "POST":
            raise MethodNotAllowed()
        self._rates.take(inbox.id, inbox.entrance.rate)
        taken = await self._reception.take(_arrival(sender, inbox, verdict), inbox.targets, receive)
        if inbox.reply is Reply.AFTER_COMPLETION and taken.protocol is Protocol.PLAIN:
            return await self._finished(inbox, taken, request_id)
        return _accepted(taken, request_id)

    async def _find(self, secret: str, fresh: bool) -> Inbox | None:
        """The inbox, unless its secret has ended meanwhile: what is in memory does not know what time it is."""
        inbox = await self._configuration.inbox(secret, fresh=fresh)
        return None if inbox and inbox.until_us is not None and inbox.until_us <= self._now_us() else inbox

    async def _finished(self, inbox: Inbox, taken: Taken, request_id: str) -> Response:
        """R-051. What was accepted stays accepted: when it takes too long, the sender is told where to ask."""
        receipt = _receipt(taken)
        try:
            ended = await self._endings.of([each.attempt_id for each in taken.accepted.started], inbox.response_timeout_s)
            reply = await asyncio.to_thread(finished_reply, self._endings.records, ended)
        except (TimeoutError, RecordsUnavailable):
            url = f"/api/v1/messages/{receipt['message_id']}"
            return json_answer({**receipt, "status_url": url}, 202, request_id, {"location": url})
        return json_answer({**receipt, **reply.content}, reply.status, request_id)


def _secret(path: str) -> str:
    """The uuid of ``/inbox/<uuid>``, with or without a slash behind it. Raises UnknownAddress."""
    found = _ADDRESS.match(path)
    if found is None:
        raise UnknownAddress()
    return found[1].lower()


def _arrival(sender: Sender, inbox: Inbox, verdict: Verdict) -> Arrival:
    return Arrival(
        entrance=inbox.entrance,
        method=sender.method,
        # Its secret is what a request is sent to: those who may read messages may not all know it.
        path=("inbox", str(inbox.id)),
        query=sender.query,
        headers=sender.headers,
        source_ip=sender.ip,
        auth_method=verdict.method,
        inbox_id=inbox.id,
    )


def _accepted(taken: Taken, request_id: str) -> Response:
    if taken.protocol is Protocol.SALESFORCE:
        return bytes_answer(SALESFORCE_ACKNOWLEDGEMENT, 200, request_id, "text/xml")
    if taken.protocol is Protocol.OPENROSA:
        return bytes_answer(_OPENROSA_ACCEPTED, 201, request_id, "text/xml", _OPENROSA)
    return json_answer(_receipt(taken), 202, request_id)


def _receipt(taken: Taken) -> Mapping[str, object]:
    """The microservice's answer with more in it: the message, and whether it was known already."""
    accepted = taken.accepted
    names = [] if accepted.duplicate_of else [name for target in taken.matched for name in target.job_names]
    return {
        "meta": {"message": "Data accepted and processing has begun."},
        "data": list(dict.fromkeys(names)),
        "errors": _skipped(taken),
        "message_id": str(accepted.duplicate_of or accepted.message_id),
        "duplicate": accepted.duplicate_of is not None,
    }


def _skipped(taken: Taken) -> Sequence[object]:
    """Starts that the 10-second rule refused: another trigger had just started the same job for this message."""
    return [{"code": "too_soon", "job_id": str(each.job_id), "run_id": str(each.run_id)} for each in taken.accepted.skipped]
