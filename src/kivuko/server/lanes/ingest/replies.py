"""What a webhook says after completion: the final state, the job's own answer, or as little as possible (platform §2.1)."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from kivuko.errors import BodyWiped, RecordMissing
from kivuko.records import Attempt, AttemptState, Records, Started, read_dataclip
from kivuko.server.lanes.ingest.configuration import Webhook
from kivuko.server.times import rfc3339

__all__ = ["Replied", "too_late", "webhook_reply"]

_EMPTY_STATUSES = (204, 304)


@dataclass(frozen=True)
class Replied:
    """An answer to a sender who waited: JSON, or nothing."""

    status: int
    content: bytes


def webhook_reply(records: Records, webhook: Webhook, attempt: Attempt) -> Replied:
    """The answer for an Attempt that has ended. Reads the final state, so it may block. Raises RecordsUnavailable."""
    if attempt.webhook_response is not None:
        return _own_words(webhook, attempt)
    if attempt.state is not AttemptState.SUCCESS:
        return Replied(webhook.error_code, _whole(_refused(attempt), attempt))
    return Replied(webhook.success_code, _whole(_final_state(records, attempt), attempt))


def too_late(webhook: Webhook, started: Started) -> Replied:
    """504: the Attempt takes longer than the webhook waits; it goes on."""
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


def _final_state(records: Records, attempt: Attempt) -> bytes:
    if attempt.final_dataclip_id is None:
        return b"null"
    try:
        with records.reading() as connection:
            return read_dataclip(connection, records.payloads, attempt.final_dataclip_id)
    except (BodyWiped, RecordMissing):
        # A project that keeps nothing has nothing to show here either.
        return b"null"
