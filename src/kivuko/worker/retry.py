"""Trying a job again that failed for a reason which may pass (R-149)."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from kivuko.engines import RunError

__all__ = ["RetryPolicy", "is_retryable", "retry_after_ms"]

_STATUS = frozenset({408, 425, 429})
_NETWORK = frozenset(
    {
        "ECONNREFUSED",
        "ECONNRESET",
        "ECONNABORTED",
        "ENOTFOUND",
        "EAI_AGAIN",
        "EPIPE",
        "ETIMEDOUT",
        "EHOSTUNREACH",
        "ENETUNREACH",
        "ENETDOWN",
        "EHOSTDOWN",
        "ESOCKETTIMEDOUT",
        "ESOCKET",
        "ETIMEOUT",
        "PROTOCOL_CONNECTION_LOST",
        "UND_ERR_CONNECT_TIMEOUT",
        "UND_ERR_HEADERS_TIMEOUT",
        "UND_ERR_BODY_TIMEOUT",
        "UND_ERR_SOCKET",
    }
)
_LOCKED = frozenset({"SQLITE_BUSY", "SQLITE_LOCKED", "ER_LOCK_WAIT_TIMEOUT", "ER_LOCK_DEADLOCK", "40001", "40P01", "55P03"})
_LOCK_NUMBERS = frozenset({1205, 1213, 1222, 112, 251})
"""Of MySQL (1205, 1213), SQL Server (1205, 1222) and MongoDB (112 write conflict, 251 no such transaction)."""

_NETWORK_WORDS = re.compile(r"\b(" + "|".join(sorted(_NETWORK | {"socket hang up", "fetch failed", "other side closed"})) + r")\b")
_STATUS_WORDS = re.compile(r"\b(?:returned|status(?: code)?|failed with)\W{1,3}(\d{3})\b", re.I)
_DEEPEST = 4


@dataclass(frozen=True)
class RetryPolicy:
    """How often a job is tried, and how long the pauses are: ``backoff_ms``, then ``factor`` times as long each, up to ``max_backoff_ms``.

    With ``jitter`` each is shortened by up to a half, so that what failed together is not tried together.
    """

    max_tries: int = 3
    backoff_ms: int = 1000
    factor: float = 2
    jitter: bool = True
    max_backoff_ms: int = 3_600_000

    @classmethod
    def read(cls, document: object) -> RetryPolicy | None:
        """The policy of a job in a plan; None for null."""
        if not isinstance(document, Mapping):
            return None
        known = {name: document[name] for name in cls.__dataclass_fields__ if document.get(name) is not None}
        return cls(**known)

    def delay_ms(self, error: RunError, tries: int, random_share: Callable[[], float] = random.random) -> int | None:
        """The pause before the next try after ``tries`` of them, None when there is none. A server's ``Retry-After`` is respected."""
        if tries >= self.max_tries or not is_retryable(error):
            return None
        backoff_ms = min(self.max_backoff_ms, self.backoff_ms * self.factor ** (tries - 1))
        if self.jitter:
            backoff_ms *= 1 - random_share() / 2
        asked_ms = retry_after_ms(error)
        return round(max(backoff_ms, min(asked_ms, self.max_backoff_ms) if asked_ms is not None else 0))


def is_retryable(error: RunError) -> bool:
    """Whether a failure may pass by itself: the network, an overloaded or restarting server, a lock. Crashes and kills never."""
    if error.severity != "fail":
        return False
    for found in _mappings(error.details):
        if _is_passing_status(found.get("statusCode", found.get("status"))) or _is_passing_code(found.get("code")):
            return True
        if found.get("errno") in _LOCK_NUMBERS or found.get("number") in _LOCK_NUMBERS:
            return True
    told = _STATUS_WORDS.search(error.message)
    return bool(_NETWORK_WORDS.search(error.message)) or (told is not None and _is_passing_status(told[1]))


def retry_after_ms(error: RunError, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> int | None:
    """What the header Retry-After of the failed request said (RFC 9110 §10.2.3), in ms."""
    for found in _mappings(error.details):
        headers = found.get("headers")
        named = {str(name).lower(): value for name, value in headers.items()} if isinstance(headers, Mapping) else {}
        text = named.get("retry-after", found.get("retryAfter"))
        if isinstance(text, list) and text:
            text = text[0]
        if text is not None and (after_ms := _read_after(str(text).strip(), now)) is not None:
            return after_ms
    return None


def _read_after(text: str, now: Callable[[], datetime]) -> int | None:
    if text.isdecimal():
        return int(text) * 1000
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0, round((at.replace(tzinfo=at.tzinfo or UTC) - now()).total_seconds() * 1000))


def _mappings(details: object, depth: int = 0) -> list[Mapping[str, object]]:
    """The details of an error and what is nested in them: adaptors wrap the response, or the error behind theirs."""
    if not isinstance(details, Mapping) or depth > _DEEPEST:
        return []
    nested = (details.get(name) for name in ("details", "response", "cause", "error", "originalError", "body"))
    return [details, *(found for inner in nested for found in _mappings(inner, depth + 1))]


def _is_passing_status(status: object) -> bool:
    number = int(status) if isinstance(status, int) or (isinstance(status, str) and status.isdecimal()) else 0
    return number in _STATUS or 500 <= number <= 599


def _is_passing_code(code: object) -> bool:
    text = str(code)
    return text in _NETWORK or text in _LOCKED or (len(text) == 3 and _is_passing_status(text))
