"""JSON as workers write it: fast when it is well-formed, and not lost for a lone surrogate, which JavaScript may write."""

from __future__ import annotations

import json

import orjson

__all__ = ["clean", "read_json", "write_json"]


def read_json(data: str | bytes) -> object:
    """The value. Raises ValueError for what is no JSON, or is nested too deep."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        found: object = json.loads(data)
    except RecursionError as problem:
        raise ValueError("the JSON is nested too deep") from problem
    return found


def write_json(value: object) -> bytes:
    """The value as JSON in UTF-8, numbers plain (R12). Raises TypeError for what JSON does not have."""
    try:
        return orjson.dumps(value)
    except TypeError:
        # A lone surrogate is escaped; an integer beyond 64 bits stays what it is.
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def clean(text: str) -> str:
    """The text as every database takes it: NUL and lone surrogates are replaced."""
    if text.isascii():
        return text.replace("\0", "\ufffd") if "\0" in text else text
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").replace("\0", "\ufffd")
