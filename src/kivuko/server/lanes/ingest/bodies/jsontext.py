"""JSON as senders send it: strict UTF-8, no NaN, numbers within a double's range, nesting bounded (RFC 8259)."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from kivuko.errors import MalformedJson, UnusableBody

__all__ = ["DEEPEST_BODY", "check_json"]

DEEPEST_BODY = 500
"""Bodies nested more deeply are refused: whoever reads them later need not fear for their stack."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def check_json(text: bytes) -> bytes:
    """The text as it is to be stored: as it came, without a byte order mark. Of a key given twice the last one counts, as for jsonb.

    Raises MalformedJson, or UnusableBody for what is nested too deeply.
    """
    text = text.removeprefix(_BYTE_ORDER_MARK)
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if "depth limit" in error.msg:
            raise _too_deep() from error
        raise MalformedJson(f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    # Counting brackets is a hundred times cheaper than walking, and nearly every body has few.
    if text.count(b"{") + text.count(b"[") > DEEPEST_BODY and _deeper_than(value, DEEPEST_BODY):
        raise _too_deep()
    return text


def _too_deep() -> UnusableBody:
    return UnusableBody(f"the body is nested more than {DEEPEST_BODY} levels deep", fix="Send a flatter body.")


def _deeper_than(value: object, levels: int) -> bool:
    layer = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        layer = [child for holder in layer for child in _children(holder) if isinstance(child, dict | list)]
        if not layer:
            return False
    return True


def _children(holder: dict[str, object] | list[object]) -> Iterable[object]:
    return holder.values() if isinstance(holder, dict) else holder
