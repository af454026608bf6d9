"""A body as the JSON that is stored and handed to jobs, whatever form it was sent in (requirements §3.5, R-045)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

import orjson

from kivuko.errors import MalformedBody, MalformedJson, UnsupportedMediaType
from kivuko.server.lanes.ingest.bodies.form import read_form
from kivuko.server.lanes.ingest.bodies.jsontext import check_json
from kivuko.server.lanes.ingest.bodies.mediatype import BodyKind, MediaType, media_type
from kivuko.server.lanes.ingest.bodies.multipart import OPENROSA_PART, Part, as_fields, openrosa_extras, read_parts
from kivuko.server.lanes.ingest.bodies.soap import is_outbound_message
from kivuko.server.lanes.ingest.bodies.xmltext import read_xml

__all__ = ["Protocol", "ReadBody", "read_body"]


class Protocol(Enum):
    """What the sender expects of the answer."""

    PLAIN = "plain"
    SALESFORCE = "salesforce"
    OPENROSA = "openrosa"


@dataclass(frozen=True)
class ReadBody:
    """A body as JSON text, and the protocol it came by."""

    json: bytes
    protocol: Protocol = Protocol.PLAIN


def read_body(text: bytes, content_type: str | None, *, kinds: Collection[BodyKind], query: bytes | None = None) -> ReadBody:
    """The JSON of a body. An empty one gives the fields of ``query``, where that counts as the body, else ``{}``.

    ``kinds`` are those that the address takes. Raises MalformedBody, UnsupportedMediaType or UnusableBody.
    """
    if not text:
        return ReadBody(orjson.dumps(read_form(query or b"", "the query")))
    media = media_type(content_type, text[:64])
    if media.kind not in kinds or media.kind is None:
        taken = ", ".join(sorted(kind.value for kind in kinds))
        raise UnsupportedMediaType(f"a body of type {media.name or 'XML'!r} is not taken here", fix=f"Send one of: {taken}.")
    return _READERS[media.kind](text, media)


def _json(text: bytes, media: MediaType) -> ReadBody:
    return ReadBody(check_json(text))


def _xml(text: bytes, media: MediaType) -> ReadBody:
    document = read_xml(text, media.charset)
    return ReadBody(orjson.dumps(document.value), Protocol.SALESFORCE if is_outbound_message(document) else Protocol.PLAIN)


def _form(text: bytes, media: MediaType) -> ReadBody:
    """``curl -d '{…}'`` calls JSON a form unless it is told otherwise: what is JSON as a whole is taken as it was meant."""
    if text.lstrip()[:1] in (b"{", b"["):
        try:
            return ReadBody(check_json(text))
        except MalformedJson:
            pass
    return ReadBody(orjson.dumps(read_form(text)))


def _multipart(text: bytes, media: MediaType) -> ReadBody:
    parts = read_parts(text, media.boundary)
    forms = [part for part in parts if part.name == OPENROSA_PART]
    if not forms:
        return ReadBody(orjson.dumps(as_fields(parts)))
    return _openrosa(forms, parts)


def _openrosa(forms: list[Part], parts: list[Part]) -> ReadBody:
    if len(forms) > 1:
        raise MalformedBody(f"the submission has {len(forms)} parts named {OPENROSA_PART}", fix="Send one form a request.")
    document = read_xml(bytes(forms[0].content))
    return ReadBody(orjson.dumps({**document.value, **openrosa_extras(parts)}), Protocol.OPENROSA)


_READERS = {BodyKind.JSON: _json, BodyKind.XML: _xml, BodyKind.FORM: _form, BodyKind.MULTIPART: _multipart}
