"""Bodies of messages and dataclips: a short description inside objects, the bytes as resources of their own."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse

from kivuko.errors import BodyWiped
from kivuko.platform.api.context import platform
from kivuko.platform.api.middleware import request_id_of
from kivuko.platform.api.problems import Problem, problem_answer
from kivuko.platform.api.versions import tags_of
from kivuko.platform.api.wire import IdText, Wire
from kivuko.records import Dataclip, MessageVersion

__all__ = ["Payload", "body_answer", "body_bytes", "described"]

PREVIEW_CHARACTERS = 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Payload(Wire):
    """What is said about a body: ``preview`` is its first 1 024 characters, null when it was wiped.

    ``dataclip_id`` is null where the body is a message's.
    """

    dataclip_id: IdText | None = None
    size_bytes: int
    content_type: str
    preview: str | None
    wiped: bool


def body_bytes(stored: MessageVersion | Dataclip) -> bytes:
    """The body. Raises BodyWiped."""
    if stored.wiped_at is not None:
        raise BodyWiped("the body was wiped", fix="Retention or zero persistence took it away.")
    return platform().records.payloads.read(stored)


def described(stored: MessageVersion | Dataclip, content_type: str | None = None) -> Payload:
    """The description of a body."""
    kind = content_type or "application/json"
    clip_id = stored.id if isinstance(stored, Dataclip) else None
    try:
        body = body_bytes(stored)
    except BodyWiped:
        return Payload(dataclip_id=clip_id, size_bytes=stored.size_bytes, content_type=kind, preview=None, wiped=True)
    # A character has four bytes at most; what is cut off at the end is no whole character.
    preview = body[: PREVIEW_CHARACTERS * 4].decode("utf-8", "ignore")[:PREVIEW_CHARACTERS]
    return Payload(dataclip_id=clip_id, size_bytes=stored.size_bytes, content_type=kind, preview=preview, wiped=False)


def body_answer(request: HttpRequest, body: bytes, *, name: str, content_type: str = "application/json") -> HttpResponse:
    """The bytes, or the range that was asked for (RFC 9110 §14); 304 when the client has them."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {
        "ETag": tag,
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{quote(name)}"',
        # What a sender sent is shown as it is: no browser may take it for a page of ours.
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    if tag in {each.removeprefix("W/") for each in tags_of(request.headers.get("If-None-Match"))}:
        return HttpResponse(status=304, headers=headers)
    asked = request.headers.get("Range")
    condition = request.headers.get("If-Range")
    found = _RANGE.fullmatch(asked.strip()) if asked and (condition is None or condition == tag) else None
    if not found or found[1] == found[2] == "":
        return HttpResponse(body, content_type=content_type, headers=headers)
    return _part(request, body, found[1], found[2], content_type, headers)


def _part(request: HttpRequest, body: bytes, first: str, last: str, content_type: str, headers: dict[str, str]) -> HttpResponse:
    size = len(body)
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if start >= size or end < start:
        about = {**headers, "Content-Range": f"bytes */{size}"}
        problem = Problem(416, "range_not_satisfiable", f"The body has {size} bytes.", "Ask for a range within it.", headers=about)
        return problem_answer(problem, request_id_of(request))
    headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    return HttpResponse(body[start : end + 1], status=206, content_type=content_type, headers=headers)
