"""Answers with an ETag, a Location or a status of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

from kivuko.platform.api.versions import etag, tags_of
from kivuko.platform.api.wire import Wire

__all__ = ["json_answer", "location"]


def json_answer(
    request: HttpRequest, shape: Wire | Mapping[str, Any], status: int = 200, *, at: str | None = None, version: int | None = None
) -> HttpResponse:
    """The object as JSON. ``at`` is its path below ``/api/v1``; ``version`` its lock_version: 304 when the client has that."""
    tag = etag(version) if version is not None else None
    if tag and request.method == "GET" and tag in tags_of(request.headers.get("If-None-Match")):
        return HttpResponse(status=304, headers={"ETag": tag})
    body = orjson.dumps(shape.as_json() if isinstance(shape, Wire) else shape, default=str)
    answer = HttpResponse(body, status=status, content_type="application/json; charset=utf-8")
    if at is not None:
        answer["Location"] = location(at)
    if tag:
        answer["ETag"] = tag
    return answer


def location(path: str) -> str:
    """The address of a path below ``/api/v1``."""
    return f"/api/v1/{path}"
