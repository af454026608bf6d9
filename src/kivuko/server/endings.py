"""Waiting for Attempts to end, for webhooks that are answered after completion (platform §2.1).

An end is heard from the records' changes on the node that wrote it; a look at the database from time to time is the net under that.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import orjson

from kivuko.errors import BodyWiped, RecordMissing, RecordsUnavailable
from kivuko.records import Attempt, AttemptState, Change, Id, Records, Started, read_attempt, read_dataclip
from kivuko.server.configuration import Webhook
from kivuko.server.times import rfc3339

__all__ = ["Endings", "Replied"]

_LOOK_EVERY_S = 2.0
_EMPTY_STATUSES = (204, 304)


@dataclass(frozen=True)
class Replied:
    """An answer to a sender who waited: JSON, or nothing."""

    status: int
    content: bytes


class Endings:
    """Who waits for which Attempt. Made in the event loop that it serves; ``heard`` may be called from any thread."""

    def __init__(self, records: Records, *, look_every_s: float = _LOOK_EVERY_S) -> None:
        self._records = records
        self._look_every_s = look_every_s
        self._loop = asyncio.get_running_loop()
        self._waiting: defaultdict[Id, list[asyncio.Event]] = defaultdict(list)

    def heard(self, changes: Sequence[Change]) -> None:
        """Takes note of what changed: to be called by the records' ``on_change``."""
        ids = [change.id for change in changes if change.kind == "attempt" and change.id in self._waiting]
        if ids and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, ids)

    async def reply(self, webhook: Webhook, started: Started) -> Replied:
        """Waits for the Attempt and words its outcome; 504 when it takes longer than the webhook allows."""
        try:
            async with asyncio.timeout(webhook.response_timeout_s):
                attempt = await self._ended(started.attempt_id)
            return await asyncio.to_thread(self._worded, webhook, attempt)
        except (TimeoutError, RecordsUnavailable):
            # What was accepted stays accepted: a 503 would make the sender post it again.
            return _too_late(webhook, started)

    async def _ended(self, attempt_id: Id) -> Attempt:
        changed = asyncio.Event()
        self._waiting[attempt_id].append(changed)
        try:
            while True:
                changed.clear()
                attempt = await asyncio.to_thread(self._read, attempt_id)
                if attempt and attempt.state.finished:
                    return attempt
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._look_every_s):
                        await changed.wait()
        finally:
            self._waiting[attempt_id].remove(changed)
            if not self._waiting[attempt_id]:
                del self._waiting[attempt_id]

    def _wake(self, ids: Sequence[Id]) -> None:
        for each in ids:
            for changed in self._waiting.get(each, ()):
                changed.set()

    def _read(self, attempt_id: Id) -> Attempt | None:
        try:
            with self._records.reading() as connection:
                return read_attempt(connection, attempt_id).attempt
        except RecordsUnavailable:
            # The Attempt goes on, whether the database can be asked just now or not.
            return None

    def _worded(self, webhook: Webhook, attempt: Attempt) -> Replied:
        if attempt.webhook_response is not None:
            return _own_words(webhook, attempt)
        if attempt.state is not AttemptState.SUCCESS:
            return Replied(webhook.error_code, _whole(_refused(attempt), attempt))
        return Replied(webhook.success_code, _whole(self._final_state(attempt), attempt))

    def _final_state(self, attempt: Attempt) -> bytes:
        if attempt.final_dataclip_id is None:
            return b"null"
        try:
            with self._records.reading() as connection:
                return read_dataclip(connection, self._records.payloads, attempt.final_dataclip_id)
        except (BodyWiped, RecordMissing):
            # A project that keeps nothing has nothing to show here either.
            return b"null"


def _too_late(webhook: Webhook, started: Started) -> Replied:
    message = f"The run has not ended within {webhook.response_timeout_s:g} s. It goes on."
    content = {"error": "timeout", "message": message, "work_order_id": str(started.work_order_id)}
    return Replied(504, orjson.dumps(content))


def _own_words(webhook: Webhook, attempt: Attempt) -> Replied:
    """What the job put into ``state.webhookResponse``: a status and a body that is an object."""
    given = orjson.loads(attempt.webhook_response or b"null")
    fields = given if isinstance(given, dict) else {}
    status, body = fields.get("status", webhook.success_code), fields.get("body", {})
    if type(status) is not int or not 200 <= status <= 599:
        return Replied(webhook.error_code, _whole(_explained("its status is no number from 200 to 599"), attempt))
    if status in _EMPTY_STATUSES:
        return Replied(status, b"")
    if not isinstance(body, dict):
        return Replied(webhook.error_code, _whole(_explained("its body is no object"), attempt))
    return Replied(status, orjson.dumps(body))


def _explained(reason: str) -> bytes:
    return orjson.dumps({"message": f"The job's webhookResponse cannot be sent: {reason}."})


def _refused(attempt: Attempt) -> bytes:
    return orjson.dumps({"message": f"Run completed with status: {_word(attempt)}. What it produced is not shown to senders."})


def _whole(data: bytes, attempt: Attempt) -> bytes:
    """``{data, meta}`` in OpenFn's words."""
    meta = {
        "work_order_id": str(attempt.work_order_id),
        "run_id": str(attempt.id),
        "state": _word(attempt),
        "error_type": attempt.error_type,
        "inserted_at": rfc3339(attempt.id.made_at_us),
        "started_at": rfc3339(attempt.started_at),
        "claimed_at": rfc3339(attempt.claimed_at),
        "finished_at": rfc3339(attempt.finished_at),
    }
    return b'{"data":' + data + b',"meta":' + orjson.dumps(meta) + b"}"


def _word(attempt: Attempt) -> str:
    return attempt.state.name.lower()
