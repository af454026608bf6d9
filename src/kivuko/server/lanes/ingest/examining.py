"""What a body is, whom it concerns, and what makes it the same as another: everything that reads its content, in one pure call."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from kivuko.errors import InvalidJson, MalformedJson
from kivuko.server.lanes.ingest.bodies import BodyKind, Protocol, read_body
from kivuko.server.lanes.ingest.idempotency import value_at
from kivuko.workflow.filters import MessageFilter, read_json

__all__ = ["Findings", "Question", "examine"]

_BLANK = MessageFilter()


@dataclass(frozen=True)
class Question:
    """What is asked about a body. ``query`` is the body of a request that has none; ``objects_only`` wraps other JSON as ``_json``."""

    content_type: str | None
    kinds: Collection[BodyKind]
    filters: tuple[MessageFilter, ...]
    query: bytes | None = None
    key_path: tuple[str, ...] | None = None
    objects_only: bool = False


@dataclass(frozen=True)
class Findings:
    """The JSON to store (None: the body as it is), which of the filters match, and the idempotency key's value."""

    json: bytes | None
    protocol: Protocol
    matches: tuple[bool, ...]
    key: str | None


def examine(text: bytes, question: Question) -> Findings:
    """Reads a body and answers the question. Raises RequestRefused (MalformedBody, UnsupportedMediaType, UnusableBody)."""
    body = read_body(text, question.content_type, kinds=question.kinds, query=question.query)
    json = _as_object(body.json) if question.objects_only else body.json
    matches, key = _matches(json, question)
    return Findings(None if json == text else json, body.protocol, matches, key)


def _as_object(json: bytes) -> bytes:
    """OpenFn's webhooks hand other values to jobs as ``{"_json": value}``, as its web framework reads them."""
    return json if json.lstrip()[:1] == b"{" else b'{"_json":' + json + b"}"


def _matches(json: bytes, question: Question) -> tuple[tuple[bool, ...], str | None]:
    if question.key_path is None and all(each == _BLANK for each in question.filters):
        return (True,) * len(question.filters), None
    try:
        value = read_json(json.decode("utf-8"))
    except InvalidJson as error:
        raise MalformedJson(f"the body cannot be matched by filters: {error.message}") from error
    matches = tuple(each.matches(value) for each in question.filters)
    return matches, value_at(value, question.key_path) if question.key_path else None
