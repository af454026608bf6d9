"""The head of a request: its headers, its size, and the id that it is known by in answers, logs and errors."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kivuko.records import new_id

__all__ = ["MOST_HEAD_BYTES", "Headers", "header", "request_id_of"]

Headers = Iterable[tuple[bytes, bytes]]

MOST_HEAD_BYTES = 64 * 1024
"""What address and headers may take together."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._~+/=-]{20,200}\Z")


def header(headers: Headers, name: bytes) -> str | None:
    """The first header of this (lower-case) name."""
    for found, value in headers:
        if found == name:
            return value.decode("latin-1")
    return None


def request_id_of(headers: Headers) -> str:
    """The sender's X-Request-Id when it is 20 to 200 safe characters, else a new one."""
    given = header(headers, b"x-request-id") or ""
    return given if _REQUEST_ID.match(given) else str(new_id())
