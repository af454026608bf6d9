"""What a Content-Type header says: the kind of body, and its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from python_multipart.multipart import parse_options_header

__all__ = ["BodyKind", "MediaType", "media_type"]


class BodyKind(Enum):
    """The kinds of body that can be read."""

    JSON = "json"
    XML = "xml"
    FORM = "form"
    MULTIPART = "multipart"


@dataclass(frozen=True)
class MediaType:
    """A content type: its kind (None for one that cannot be read), and the parameters that matter."""

    name: str
    kind: BodyKind | None
    charset: str | None = None
    boundary: bytes | None = None


_SHORT = 64
"""Types as short as this are remembered: senders have few. A boundary is new with every body."""

_KINDS = {
    "application/json": BodyKind.JSON,
    "text/json": BodyKind.JSON,
    "application/xml": BodyKind.XML,
    "text/xml": BodyKind.XML,
    "application/x-www-form-urlencoded": BodyKind.FORM,
    "multipart/form-data": BodyKind.MULTIPART,
}


def media_type(header: str | None, beginning: bytes) -> MediaType:
    """Reads a Content-Type header. Without one the body's ``beginning`` tells XML from JSON. Never raises."""
    if not header or not header.strip():
        return MediaType("", BodyKind.XML if beginning.lstrip().startswith(b"<") else BodyKind.JSON)
    return _known(header) if len(header) <= _SHORT else _read(header)


def _read(header: str) -> MediaType:
    try:
        parsed, parameters = parse_options_header(header)
    except ValueError:
        return MediaType(header, None)
    name = parsed.decode("latin-1").strip().lower()
    charset = parameters.get(b"charset")
    return MediaType(name, _kind(name), charset.decode("latin-1").strip().lower() if charset else None, parameters.get(b"boundary"))


_known = lru_cache(256)(_read)


def _kind(name: str) -> BodyKind | None:
    if name.endswith("+json"):
        return BodyKind.JSON
    if name.endswith("+xml"):
        return BodyKind.XML
    return _KINDS.get(name)
