"""Every error of the API as ``application/problem+json`` (RFC 9457, spec/api.md §1): no stack trace, no SQL, no secret."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import orjson
from django.http import HttpResponse

from kivuko import errors
from kivuko.errors import KivukoError

__all__ = ["CODES", "CONTENT_TYPE", "Problem", "problem_answer", "problem_of", "validation_problem"]

CONTENT_TYPE = "application/problem+json"

_PATH = re.compile(r"[\w.-]+:")

_TITLES = {
    400: "The request cannot be read",
    401: "You are not signed in",
    403: "You may not do this",
    404: "There is nothing here",
    405: "This method is not allowed here",
    409: "The request contradicts what is there",
    410: "The content was deleted",
    412: "It was changed meanwhile",
    413: "The request is too large",
    415: "The content type is not supported",
    416: "There is no such part",
    422: "The request is not valid",
    429: "Too many requests",
    500: "Something went wrong here",
    503: "The server cannot do this just now",
}

CODES: tuple[tuple[type[KivukoError], int, str], ...] = (
    (errors.MalformedCursor, 400, "malformed_cursor"),
    (errors.MalformedJson, 400, "malformed_json"),
    (errors.Unauthenticated, 401, "unauthenticated"),
    (errors.TokenExpired, 401, "token_expired"),
    (errors.Forbidden, 403, "forbidden"),
    (errors.ObjectMissing, 404, "not_found"),
    (errors.RecordMissing, 404, "not_found"),
    (errors.UnknownAddress, 404, "not_found"),
    (errors.MethodNotAllowed, 405, "method_not_allowed"),
    (errors.BodyWiped, 410, "wiped"),
    (errors.AlreadyFinished, 409, "already_finished"),
    (errors.IdempotencyConflict, 409, "idempotency_conflict"),
    (errors.Conflict, 409, "conflict"),
    (errors.MoveRefused, 409, "conflict"),
    (errors.ChangedMeanwhile, 412, "changed_meanwhile"),
    (errors.BodyTooLarge, 413, "too_large"),
    (errors.UnsupportedMediaType, 415, "unsupported_media_type"),
    (errors.ValidationFailed, 422, "validation_failed"),
    (errors.UnusableBody, 422, "validation_failed"),
    (errors.MalformedBody, 422, "validation_failed"),
    (errors.InputError, 422, "validation_failed"),
    (errors.CompileError, 422, "validation_failed"),
    (errors.TooSoon, 429, "too_soon"),
    (errors.RateLimited, 429, "rate_limited"),
    (errors.RecordsUnavailable, 503, "database_unavailable"),
    (errors.ShuttingDown, 503, "shutting_down"),
)
"""What each error is on the wire; the first that fits counts."""


@dataclass(frozen=True)
class Problem:
    """An error for the wire. ``more`` are members of its own kind: ``errors``, ``current``, ``run_id``, ``retry_after_s``."""

    status: int
    code: str
    detail: str
    action: str = ""
    more: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_json(self, request_id: str) -> dict[str, object]:
        """Its members, in the order people read them."""
        title = _TITLES.get(self.status, _TITLES[500])
        head = {"type": "about:blank", "status": self.status, "title": title, "code": self.code, "detail": _sentence(self.detail)}
        action = {"action": self.action} if self.action else {}
        return {**head, **action, **self.more, "request_id": request_id}


def problem_of(error: KivukoError) -> Problem:
    """The problem that an error of ours is; one that the API does not know is a fault of the server."""
    status, code = next(((status, code) for kind, status, code in CODES if isinstance(error, kind)), (500, "internal_error"))
    if status == 500:
        return Problem(500, code, "The server met an error that it does not know.", "Tell your administrator the request id.")
    if isinstance(error, errors.RecordsUnavailable):
        error = error.for_outsiders
    more: dict[str, object] = {}
    headers: dict[str, str] = {}
    if isinstance(error, errors.ValidationFailed):
        more["errors"] = error.errors
    if isinstance(error, errors.ChangedMeanwhile):
        more["current"] = error.current
    if isinstance(error, errors.TooSoon):
        more |= {"retry_after_s": round(error.retry_after_s, 3), "run_id": error.run_id}
    wait_s = getattr(error, "retry_after_s", None) or (1.0 if status == 503 else None)
    if wait_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(wait_s)))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Problem(status, code, error.message, error.fix, more, headers)


def validation_problem(found: Iterable[tuple[str, str]]) -> Problem:
    """The problem of (path, sentence) pairs."""
    collected: dict[str, list[str]] = {}
    for path, sentence in found:
        collected.setdefault(path, []).append(sentence)
    return problem_of(errors.ValidationFailed(errors=collected))


def problem_answer(problem: Problem, request_id: str) -> HttpResponse:
    """The answer that tells the problem."""
    body = orjson.dumps(problem.as_json(request_id), default=str)
    return HttpResponse(body, status=problem.status, content_type=CONTENT_TYPE, headers=dict(problem.headers))


def _sentence(text: str) -> str:
    text = text.strip()
    # A path at the beginning ("triggers.0.name: …") keeps its letters.
    text = text if _PATH.match(text) else text[:1].upper() + text[1:]
    return text if not text or text[-1] in ".!?" else f"{text}."
