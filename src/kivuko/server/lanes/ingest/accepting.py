"""Taking a message in: body received, examined and matched, one intent, and an answer only when that is durable (server-and-data §5)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from starlette.types import Receive

from kivuko.errors import RecordsUnavailable, ShuttingDown
from kivuko.records import Accepted, Id, Ingest, Message, MessageVersion, Payload, Records, Start, new_id, new_start
from kivuko.server.headers import header
from kivuko.server.lanes.ingest.bodies import Protocol
from kivuko.server.lanes.ingest.configuration import Entrance, Target
from kivuko.server.lanes.ingest.examiner import Examiner
from kivuko.server.lanes.ingest.examining import Findings, Question
from kivuko.server.lanes.ingest.idempotency import idempotency_key
from kivuko.server.lanes.ingest.outcomes import Outcomes
from kivuko.server.lanes.ingest.receiving import IN_MEMORY_BYTES, Receiving, Spool, receive_body
from kivuko.server.lanes.ingest.requests import kept_request

__all__ = ["PATIENCE_S", "Arrival", "Reception", "Taken"]

PATIENCE_S = 5.0
"""So long a request waits for a busy database before its sender is told to come back (R-043)."""

_COMPRESS_HERE_UP_TO_BYTES = 100_000
_LARGE_AT_ONCE = 2

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Arrival:
    """A request that was let in. ``path`` is what is kept of it: an inbox's secret is no part of that.

    ``query_is_body``: a request without body means its query. ``objects_only``: other JSON is wrapped, as OpenFn's webhooks do.
    """

    entrance: Entrance
    method: str
    path: tuple[str, ...]
    query: bytes
    headers: Headers
    source_ip: str | None = None
    auth_method: str | None = None
    inbox_id: Id | None = None
    trigger_id: Id | None = None
    query_is_body: bool = True
    objects_only: bool = False


@dataclass(frozen=True)
class Taken:
    """What came of a request: the records' answer, the targets that matched, and what kind of answer the sender expects."""

    accepted: Accepted
    matched: tuple[Target, ...]
    protocol: Protocol


@dataclass(frozen=True)
class _Body:
    size_bytes: int
    digest: bytes
    findings: Findings
    payload: Payload


class Reception:
    """Takes messages in. Lives in one event loop; ``close`` refuses what comes later."""

    def __init__(
        self,
        records: Records,
        *,
        receiving: Receiving = Receiving(),  # noqa: B008  # frozen
        examiner: Examiner | None = None,
        patience_s: float = PATIENCE_S,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._records = records
        self._receiving = receiving
        self._examiner = examiner or Examiner()
        self._patience_s = patience_s
        self._now_us = now_us
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)
        self._outcomes = Outcomes()
        self._closed = False

    def close(self) -> None:
        """Refuses further requests and ends the helper process."""
        self._closed = True
        self._examiner.close()

    async def take(self, arrival: Arrival, targets: Sequence[Target], receive: Receive) -> Taken:
        """Makes a message of a request, durable with all it starts when this returns.

        Raises RequestRefused, RecordsUnavailable, and Starlette's ClientDisconnect; then nothing was taken, but for the one case that the
        database did not say whether it committed.
        """
        if self._closed:
            raise ShuttingDown(retry_after_s=5)
        entrance, message_id = arrival.entrance, new_id()
        with Spool(self._receiving.folder) as spool:
            await receive_body(arrival.headers, receive, spool, entrance.body_limit_bytes, self._receiving)
            if spool.size_bytes <= IN_MEMORY_BYTES:
                body = await self._read(message_id, spool.read(), _question(arrival, targets))
            else:
                async with self._large:
                    body = await self._read(message_id, await asyncio.to_thread(spool.read), _question(arrival, targets))
        matched = tuple(target for target, matches in zip(targets, body.findings.matches, strict=True) if matches)
        accepted = await self._written(_intent(arrival, message_id, body, matched, self._now_us()))
        return Taken(accepted, matched, body.findings.protocol)

    async def _read(self, message_id: Id, text: bytes, question: Question) -> _Body:
        findings = await self._examiner.examine(text, question)
        json = text if findings.json is None else findings.json
        if max(len(text), len(json)) <= _COMPRESS_HERE_UP_TO_BYTES:
            return _Body(len(text), sha256(text).digest(), findings, self._records.payloads.store(message_id, json))
        digest = await asyncio.to_thread(lambda: sha256(text).digest())
        return _Body(len(text), digest, findings, await asyncio.to_thread(self._records.payloads.store, message_id, json))

    async def _written(self, intent: Ingest) -> Accepted:
        future = self._records.submit(intent)
        try:
            return await self._outcomes.of(future, self._patience_s)
        except TimeoutError:
            if future.cancel():
                raise RecordsUnavailable("the database is busy: the message was not taken") from None
        try:
            # It is being written: the writer gives up by itself, and what it says counts.
            return await self._outcomes.of(future, self._patience_s)
        except TimeoutError:
            raise RecordsUnavailable("the database has not answered in time; whether the message was taken is not known") from None


def _question(arrival: Arrival, targets: Sequence[Target]) -> Question:
    rule = arrival.entrance.idempotency
    return Question(
        content_type=header(arrival.headers, b"content-type"),
        kinds=arrival.entrance.kinds,
        filters=tuple(target.filter for target in targets),
        query=arrival.query if arrival.query_is_body else None,
        key_path=rule.path if rule else None,
        objects_only=arrival.objects_only,
    )


def _intent(arrival: Arrival, message_id: Id, body: _Body, matched: Sequence[Target], now_us: int) -> Ingest:
    entrance = arrival.entrance
    message = Message(
        id=message_id,
        project_id=entrance.project_id,
        inbox_id=arrival.inbox_id,
        trigger_id=arrival.trigger_id,
        request=kept_request(arrival.method, arrival.path, arrival.query, arrival.headers),
        content_type=(header(arrival.headers, b"content-type") or "").replace("\0", "") or None,
        source_ip=arrival.source_ip,
        auth_method=arrival.auth_method,
        size_bytes=body.size_bytes,
        sha256=body.digest,
    )
    stored = body.payload
    version = MessageVersion(
        message_id, 1, entrance.project_id, stored.encoding, stored.body, stored.object_key, stored.size_bytes, inserted_at=now_us
    )
    rule = entrance.idempotency
    named = header(arrival.headers, rule.header.lower().encode("latin-1")) if rule and rule.header else None
    key = idempotency_key(rule, arrival.inbox_id or arrival.trigger_id or entrance.project_id, named, body.findings.key)
    return Ingest(message, version, tuple(_start(target) for target in matched), key)


def _start(target: Target) -> Start:
    return new_start(
        target.workflow_id,
        target.snapshot_id,
        target.trigger_id,
        target.cause,
        target.jobs,
        trigger_id=target.trigger_id,
        queue=target.queue,
        needs=target.needs,
    )
