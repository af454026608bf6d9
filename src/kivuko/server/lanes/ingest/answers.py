"""Answers of the lanes: refusals as problem details (RFC 9457), OpenFn's words for its webhooks, request ids and headers of all answers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

import orjson
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
)
from kivuko.records import new_id
from kivuko.server.lanes.ingest.requests import header

__all__ = ["RETRY_AFTER_S", "bytes_answer", "json_answer", "problem", "request_id_of", "status_of", "webhook_refusal"]

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
_CODES = {"records_unavailable": "database_unavailable"}
_OPENFN_ERRORS = {401: "Unauthorized", 404: "Webhook not found", 413: "request_entity_too_large"}
_REQUEST_ID = re.compile(r"[A-Za-z0-9._~+/=-]{20,200}\Z")

Headers = Iterable[tuple[bytes, bytes]]


def request_id_of(headers: Headers) -> str:
    """The sender's X-Request-Id when it is 20 to 200 safe characters, else a new one."""
    given = header(headers, b"x-request-id") or ""
    return given if _REQUEST_ID.match(given) else str(new_id())


def status_of(error: RequestRefused | RecordsUnavailable) -> int:
    """The HTTP status of a refusal."""
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


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


def problem(error: RequestRefused | RecordsUnavailable, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal as ``application/problem+json`` (api.md §1)."""
    status = status_of(error)
    content = {
        "type": "about:blank",
        "status": status,
        "title": _TITLES[status],
        "code": _CODES.get(error.code, error.code),
        "detail": error.message,
        "action": error.fix,
        "request_id": request_id,
    }
    all_headers = {**_refusal_headers(error, status), **(headers or {})}
    return bytes_answer(orjson.dumps(content), status, request_id, "application/problem+json", all_headers)


def webhook_refusal(error: RequestRefused | RecordsUnavailable, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal in OpenFn's words (platform §2.1): ``error``, and a ``message`` where the word alone is not enough."""
    status = status_of(error)
    word = _OPENFN_ERRORS.get(status)
    content = {"error": word or _CODES.get(error.code, error.code)}
    if status not in (401, 404):
        content["message"] = error.message
    return json_answer(content, status, request_id, {**_refusal_headers(error, status), **(headers or {})})


def _refusal_headers(error: RequestRefused | RecordsUnavailable, status: int) -> dict[str, str]:
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
