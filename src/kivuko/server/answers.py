"""Answers that lanes and bridge give alike: refusals as problem details (RFC 9457), and the headers of all answers."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

import orjson
import structlog
from starlette.responses import Response

from kivuko.errors import (
    BodyTooLarge,
    BodyTooSlow,
    HeadTooLarge,
    KivukoError,
    MalformedBody,
    MethodNotAllowed,
    RateLimited,
    RecordsUnavailable,
    RequestRefused,
    ShuttingDown,
    TriggerDisabled,
    Unauthenticated,
    UnknownAddress,
    UnsupportedMediaType,
    UnusableBody,
    ValidationFailed,
)

__all__ = ["RETRY_AFTER_S", "bytes_answer", "error_code", "for_outsiders", "json_answer", "problem", "refusal_headers", "status_of"]

_log = structlog.get_logger(__name__)

RETRY_AFTER_S = 5
"""What senders are told when nothing better is known."""

_STATUS: Mapping[type[KivukoError], int] = {
    MalformedBody: 400,
    Unauthenticated: 401,
    TriggerDisabled: 403,
    UnknownAddress: 404,
    MethodNotAllowed: 405,
    BodyTooSlow: 408,
    BodyTooLarge: 413,
    UnsupportedMediaType: 415,
    UnusableBody: 422,
    ValidationFailed: 422,
    RateLimited: 429,
    HeadTooLarge: 431,
    ShuttingDown: 503,
    RecordsUnavailable: 503,
}
_TITLES = {
    400: "The request cannot be read",
    401: "Authentication is needed",
    403: "The request is not allowed",
    404: "Not found",
    405: "The method is not allowed",
    408: "The request took too long",
    413: "The request is too large",
    415: "The type of the body is not supported",
    422: "The request is not valid",
    429: "Too many requests",
    431: "The head of the request is too large",
    503: "The service is not available",
}
_CODES = {"records_unavailable": "database_unavailable", "values_refused": "validation_failed"}


def status_of(error: KivukoError) -> int:
    """The HTTP status of a refusal."""
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def error_code(error: KivukoError) -> str:
    """The stable code of a refusal (api.md §1)."""
    return _CODES.get(error.code, error.code)


def json_answer(content: Mapping[str, object] | bytes, status: int, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with a JSON object."""
    text = content if isinstance(content, bytes) else orjson.dumps(content)
    return bytes_answer(text, status, request_id, "application/json", headers)


def bytes_answer(
    content: bytes, status: int, request_id: str, content_type: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer with the headers that every answer has. What was posted is nobody else's: nothing may be cached."""
    always = {"x-request-id": request_id, "cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(content, status, {**always, **(headers or {})}, content_type)


def for_outsiders(error: KivukoError) -> KivukoError:
    """What those outside may hear of an error; the rest of it goes to the log."""
    if not isinstance(error, RecordsUnavailable):
        return error
    if _refusals_told.is_due():
        _log.warning("requests are refused: the database cannot be used", reason=error.message)
    return error.for_outsiders


class _Seldom:
    """Says when a line may go to the log that would otherwise come with every request, thousands of times a second."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._told_at_s = -math.inf

    def is_due(self) -> bool:
        """Whether it is time again."""
        now_s = time.monotonic()
        due = now_s - self._told_at_s >= self._every_s
        if due:
            self._told_at_s = now_s
        return due


_refusals_told = _Seldom(5.0)


def problem(error: KivukoError, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal as ``application/problem+json`` (api.md §1)."""
    error = for_outsiders(error)
    status = status_of(error)
    content = {
        "type": "about:blank",
        "status": status,
        "title": _TITLES[status],
        "code": error_code(error),
        "detail": error.message,
        "action": error.fix,
        "request_id": request_id,
    }
    all_headers = {**refusal_headers(error, status), **(headers or {})}
    return bytes_answer(orjson.dumps(content), status, request_id, "application/problem+json", all_headers)


def refusal_headers(error: KivukoError, status: int) -> dict[str, str]:
    """When to come again, how to authenticate, and that the rest of the body will not be read."""
    headers = {}
    if status in (429, 503):
        known = error.retry_after_s if isinstance(error, RequestRefused) else None
        headers["retry-after"] = str(max(1, math.ceil(RETRY_AFTER_S if known is None else known)))
    if status == 401:
        # RFC 9110 §11.6.1: ODK Collect sends its password only when it is asked.
        headers["www-authenticate"] = 'Basic realm="Kivuko", charset="UTF-8"'
    if status in (408, 413, 431):
        # The rest of the body will not be read.
        headers["connection"] = "close"
    return headers
