"""Duplicate protection (R-052): what makes two requests the same, where somebody has said so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from kivuko.records import Id, IdempotencyKey

__all__ = ["IdempotencyRule", "idempotency_key", "value_at"]


@dataclass(frozen=True)
class IdempotencyRule:
    """A header, or a path into the body (keys; digits count array elements), and how long a key is remembered. The header goes first."""

    header: str | None = None
    path: tuple[str, ...] | None = None
    window_s: int = 24 * 3600


def idempotency_key(rule: IdempotencyRule | None, scope: Id, header: str | None, value: str | None) -> IdempotencyKey | None:
    """The key of a request, unlike that of any other ``scope`` (inbox or trigger); None when the request has none."""
    if rule is None:
        return None
    given = ("header", header) if header else ("body", value)
    if given[1] is None:
        return None
    digest = sha256(scope + f"{given[0]}\0{given[1]}".encode("utf-8", "surrogatepass")).digest()
    return IdempotencyKey(digest, rule.window_s * 1_000_000)


def value_at(body: object, path: Sequence[str]) -> str | None:
    """What stands at a path, as canonical JSON text; None when nothing (or null) does."""
    for step in path:
        if isinstance(body, dict):
            body = body.get(step)
        elif isinstance(body, list) and step.isascii() and step.isdigit() and len(step) < 10 and int(step) < len(body):
            body = body[int(step)]
        else:
            return None
    return None if body is None else json.dumps(body, sort_keys=True, default=_number)


def _number(number: object) -> str:
    # Decimals, as ``read_json`` gives them.
    return str(number)
