"""``Idempotency-Key`` on any POST: the same key and request get the first answer again, for 24 hours (spec/api.md §1)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from kivuko.errors import IdempotencyConflict, ValidationFailed
from kivuko.platform.api.models import KeptAnswer
from kivuko.platform.sealing import open_from, seal_for

__all__ = ["KEPT_US", "answered_once"]

KEPT_US = 24 * 3600 * 1_000_000
UNDER_WAY_US = 60 * 1_000_000
"""A request that has not ended after a minute has died with its process: the next one with its key is carried out."""

_HEADERS = ("Content-Type", "Location", "ETag", "Retry-After")


def answered_once(request: HttpRequest, holder: str, now_us: int, answer: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """The answer of ``answer()``, or the one that was kept for this key. ``holder`` is whose key it is.

    Raises IdempotencyConflict when the key was used for another request, or when the first one is still under way.
    """
    given = request.headers.get("Idempotency-Key")
    if given is None or request.method != "POST":
        return answer()
    if not 1 <= len(given) <= 255 or not given.isprintable():
        raise ValidationFailed(errors={"Idempotency-Key": ["must be 1 to 255 printable characters"]})
    key = hashlib.sha256(f"{holder}\0{given}".encode()).digest()
    asked = _digest_of(request)
    kept = _begin(key, asked, now_us)
    if kept.status:
        return _replayed(kept)
    return _carried_out(kept, answer)


def _digest_of(request: HttpRequest) -> bytes:
    head = f"{request.method} {request.get_full_path()}\0".encode()
    return hashlib.sha256(head + request.body).digest()


def _begin(key: bytes, asked: bytes, now_us: int) -> KeptAnswer:
    """The row of this key: ours to fill (status 0), or one that was answered."""
    with transaction.atomic():
        KeptAnswer.objects.filter(asked_at__lt=now_us - KEPT_US).delete()
    try:
        with transaction.atomic():
            return KeptAnswer.objects.create(key=key, request=asked, asked_at=now_us)
    except IntegrityError:
        pass
    kept = KeptAnswer.objects.filter(key=key).first()
    if kept is None:
        # The first request was refused between our two looks.
        raise IdempotencyConflict("the first request with this Idempotency-Key has just ended", retry_after_s=1.0)
    if bytes(kept.request) != asked:
        raise IdempotencyConflict("this Idempotency-Key was used for another request")
    if kept.status:
        return kept
    with transaction.atomic():
        taken = KeptAnswer.objects.filter(id=kept.id, status=0, asked_at__lt=now_us - UNDER_WAY_US).update(asked_at=now_us)
    if not taken:
        raise IdempotencyConflict(
            "the first request with this Idempotency-Key is still under way", retry_after_s=1.0, fix="Ask again in a second."
        )
    return kept


def _carried_out(kept: KeptAnswer, answer: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    done = False
    try:
        found = answer()
        if isinstance(found, HttpResponse) and 200 <= found.status_code < 300:
            headers = {name: found[name] for name in _HEADERS if name in found}
            sealed = seal_for(kept, found.content)
            with transaction.atomic():
                KeptAnswer.objects.filter(id=kept.id).update(status=found.status_code, headers=headers, sealed=sealed)
            done = True
        return found
    finally:
        if not done:
            with transaction.atomic():
                KeptAnswer.objects.filter(id=kept.id).delete()


def _replayed(kept: KeptAnswer) -> HttpResponse:
    body = open_from(kept, kept.sealed or b"")
    answer = HttpResponse(body, status=kept.status, headers=kept.headers)
    answer["Idempotency-Replayed"] = "true"
    return answer
