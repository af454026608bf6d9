"""Reading what workers send: each key once, into a typed value. Unknown keys are passed over (worker-protocol §3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kivuko.errors import InputError
from kivuko.records import ExitReason, Id, LogLevel
from kivuko.server.lanes.workers.json_text import clean, write_json

__all__ = ["Payload", "body_of", "id_of", "json_of", "level_of", "message_of", "number_of", "reason_of", "rows_of", "text_of", "time_of"]

Payload = Mapping[str, object]

_REASONS = {
    "success": ExitReason.SUCCESS,
    "fail": ExitReason.FAIL,
    "crash": ExitReason.CRASH,
    "cancel": ExitReason.CANCEL,
    "kill": ExitReason.KILL,
    "exception": ExitReason.EXCEPTION,
}

_LEVELS = {
    "debug": LogLevel.DEBUG,
    "info": LogLevel.INFO,
    "warn": LogLevel.WARN,
    "error": LogLevel.ERROR,
    "success": LogLevel.SUCCESS,
    "always": LogLevel.ALWAYS,
}


def text_of(payload: Payload, key: str) -> str | None:
    """A text, None when there is none."""
    found = payload.get(key)
    return clean(found) if isinstance(found, str) else None


def id_of(payload: Payload, key: str) -> Id:
    """An id. Raises InputError when there is none."""
    try:
        return Id.parse(text_of(payload, key) or "")
    except ValueError as problem:
        raise InputError(f"{key} is no id: {payload.get(key)!r}") from problem


def number_of(payload: Payload, key: str) -> int | None:
    """A whole number, also when it is given as a text or with a fraction."""
    found = payload.get(key)
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        return int(found)
    except (ValueError, OverflowError):
        return None


def time_of(payload: Payload) -> int | None:
    """µs since 1970: the wire has them as texts, as numbers or not at all (R8)."""
    found = number_of(payload, "timestamp")
    return found if found is not None and 0 <= found < 1 << 62 else None


def body_of(payload: Payload, key: str) -> bytes | None:
    """JSON as bytes: given as bytes, or as a text of JSON."""
    found = payload.get(key)
    if isinstance(found, bytes):
        return found
    return found.encode("utf-8", "surrogatepass") if isinstance(found, str) else None


def json_of(payload: Payload, key: str) -> bytes | None:
    """A JSON value as bytes; None when it is missing or null. Bytes are JSON already."""
    found = payload.get(key)
    if found is None or isinstance(found, bytes):
        return found
    return write_json(found)


def reason_of(payload: Payload) -> tuple[ExitReason, str | None]:
    """Why something ended, and the error's type. A reason that nobody knows is the exception UnknownReason (worker-protocol §11)."""
    reason, error_type = _REASONS.get(text_of(payload, "reason") or ""), text_of(payload, "error_type")
    return (ExitReason.EXCEPTION, "UnknownReason") if reason is None else (reason, error_type)


def rows_of(payload: Payload, key: str) -> Sequence[Payload]:
    """A list of mappings; what is no mapping is left out."""
    found = payload.get(key)
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, Sequence) and not isinstance(found, str | bytes) else ()


def level_of(payload: Payload) -> LogLevel:
    """The level of a log line, info when it is none of ours."""
    return _LEVELS.get(text_of(payload, "level") or "", LogLevel.INFO)


def message_of(payload: Payload) -> str:
    """The text of a log line. OpenFn's worker sends a list of anything, as ``console.log`` got it (worker-protocol §8)."""
    found = payload.get("message")
    if isinstance(found, str):
        return clean(found)
    parts = found if isinstance(found, Sequence) and not isinstance(found, bytes) else [found]
    return clean(" ".join(part if isinstance(part, str) else write_json(part).decode("utf-8") for part in parts))
