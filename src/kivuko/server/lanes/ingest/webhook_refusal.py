"""Refusals of webhooks in OpenFn's words (platform §2.1)."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from kivuko.errors import RecordsUnavailable, RequestRefused
from kivuko.server.answers import error_code, for_outsiders, json_answer, refusal_headers, status_of

__all__ = ["webhook_refusal"]

_OPENFN_ERRORS = {401: "Unauthorized", 404: "Webhook not found", 413: "request_entity_too_large"}


def webhook_refusal(error: RequestRefused | RecordsUnavailable, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """``error``, and a ``message`` where the word alone is not enough."""
    status = status_of(error)
    word = _OPENFN_ERRORS.get(status)
    content = {"error": word or error_code(error)}
    if status not in (401, 404):
        content["message"] = for_outsiders(error).message
    return json_answer(content, status, request_id, {**refusal_headers(error, status), **(headers or {})})
