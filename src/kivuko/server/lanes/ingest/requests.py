"""What is kept of a request beside its body: method, path, query, headers, without secrets (R-044)."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

import orjson

from kivuko.server.headers import Headers
from kivuko.server.lanes.ingest.bodies.form import add_field

__all__ = ["SECRET_HEADERS", "kept_headers", "kept_request"]

SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "x-api-key", "cookie"})


def kept_headers(headers: Headers) -> dict[str, str]:
    """The headers that are stored: lower-case names, those with secrets left out, repeated ones joined (RFC 9110 §5.3)."""
    kept: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name not in SECRET_HEADERS:
            kept[name] = f"{kept[name]}, {value}" if name in kept else value
    return kept


def kept_request(method: str, path: Sequence[str], query: bytes, headers: Headers) -> bytes:
    """The JSON that is stored, and that jobs see as ``state.request``: method, path, query_params, headers, and the query as it came."""
    text = query.decode("latin-1")
    parameters: dict[str, object] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="replace") if text else ():
        add_field(parameters, name, value)
    return orjson.dumps({"method": method, "path": list(path), "query": text, "query_params": parameters, "headers": kept_headers(headers)})
