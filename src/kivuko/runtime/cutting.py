"""Log messages that are too long for whoever stores them."""

from __future__ import annotations

import json

from kivuko.engines.run import LogLine
from kivuko.value import replace

__all__ = ["CUT_MARK", "cut"]

CUT_MARK = "… (cut)"


def cut(line: LogLine, most_bytes: int | None) -> LogLine:
    """The line with every argument shortened that is longer than ``most_bytes`` of UTF-8; None cuts nothing.

    What was an object becomes the beginning of its JSON. Secrets must have been taken out before: half a secret is no longer recognised.
    """
    if most_bytes is None:
        return line
    message = tuple(_cut_value(value, most_bytes) for value in line.message)
    text = None if line.text is None else tuple(None if part is None else _cut_text(part, most_bytes) for part in line.text)
    return replace(line, message=message, text=text)


def _cut_value(value: object, most_bytes: int) -> object:
    if isinstance(value, str):
        return _cut_text(value, most_bytes)
    if not isinstance(value, dict | list):
        return value
    written = json.dumps(value, ensure_ascii=False)
    shortened = _cut_text(written, most_bytes)
    return value if shortened is written else shortened


def _cut_text(text: str, most_bytes: int) -> str:
    if len(text) * 4 <= most_bytes:
        return text
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded) <= most_bytes:
        return text
    return encoded[:most_bytes].decode("utf-8", "ignore") + CUT_MARK
