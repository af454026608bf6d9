"""Log lines as people read them, and the policies that hide what objects hold (jobs-and-runtime §2.12)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Literal

from kivuko.icons import ICONS
from kivuko.runtime.logs.record import LogRecord

__all__ = ["SanitizePolicy", "rendered", "sanitized", "text_line"]

SanitizePolicy = Literal["none", "remove", "obfuscate", "summarize"]
"""What becomes of objects and arrays in a log: printed, null, ``[object]``, or ``(object with keys a, b)``."""


def sanitized(record: LogRecord, policy: SanitizePolicy) -> tuple[object, ...]:
    """The arguments of a line with objects and arrays treated as ``policy`` says; anything else stays."""
    return tuple(_POLICIES[policy](value) if isinstance(value, dict | list) else value for value in record.message)


def rendered(record: LogRecord, policy: SanitizePolicy = "none") -> str | None:
    """The arguments of a line as one text, joined as a console joins them; None for a line that prints nothing (null alone)."""
    values = sanitized(record, policy)
    texts = record.text or (None,) * len(values)
    if len(values) == 1 and values[0] is None and texts[0] is None:
        return None
    pairs = zip(record.message, values, texts, strict=True)
    return " ".join(text if text is not None and before is value else _plain(value) for before, value, text in pairs)


def text_line(record: LogRecord, policy: SanitizePolicy = "none") -> str | None:
    """The whole line, ``[R/T] ✔ a completed in 8ms``; printed lines and those of adaptors stand alone. None: print nothing."""
    text = rendered(record, policy)
    if text is None or record.level == "print" or record.component == "ADA":
        return text
    return f"[{record.component}] {ICONS[record.level]} {text}"


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # the writer of indented JSON is slow, and numbers are printed a lot
    return json.dumps(value, indent=2, ensure_ascii=False)


def _number(value: float) -> str:
    """A number as JavaScript writes it: Python's shortest digits, but plain notation down to 1e-6 and exponents without leading zero."""
    digits = repr(value)
    mantissa, sign, exponent = digits.partition("e")
    if not sign:
        return digits.removesuffix(".0")
    if -7 < int(exponent) < 0:
        return f"{value:.{len(mantissa.replace('.', '').lstrip('-')) - 1 - int(exponent)}f}"
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def _summary(value: object) -> object:
    if isinstance(value, dict):
        return f"(object with keys {', '.join(sorted(value))})" if value else "(empty object)"
    items = len(value) if isinstance(value, list) else 0
    return f"(array with {items} items)" if items else "(empty array)"


_POLICIES: Mapping[SanitizePolicy, Callable[[object], object]] = {
    "none": lambda value: value,
    "remove": lambda _: None,
    "obfuscate": lambda value: "[object]" if isinstance(value, dict) else "[array]",
    "summarize": _summary,
}
