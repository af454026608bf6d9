"""``multipart/form-data``: fields, files, and the submissions of OpenRosa clients such as ODK Collect (RFC 7578).

Files are kept inside the JSON, as base64: a message is one body, and nothing that was accepted is dropped.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from kivuko.errors import MalformedBody
from kivuko.server.lanes.ingest.bodies.form import add_field

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

__all__ = ["OPENROSA_PART", "Part", "as_fields", "openrosa_extras", "read_parts"]

OPENROSA_PART = "xml_submission_file"
"""The part that holds the form (OpenRosa Form Submission API)."""

MOST_PARTS = 1_000

Fields = dict[str, object]


@dataclass
class Part:
    """One part. ``filename`` is None for a plain field."""

    name: str = ""
    filename: str | None = None
    content_type: str | None = None
    content: bytearray = field(default_factory=bytearray)


def read_parts(text: bytes, boundary: bytes | None) -> list[Part]:
    """The parts, in order. Raises MalformedBody."""
    if not boundary:
        raise MalformedBody("the content type of the multipart body names no boundary")
    collector = _Collector()
    try:
        parser = MultipartParser(boundary, collector.callbacks())
        parser.write(text)
        parser.finalize()
    except MultipartParseError as error:
        raise MalformedBody(f"the multipart body cannot be read: {error}") from error
    if not collector.ended:
        raise MalformedBody("the multipart body ends before its last boundary")
    return collector.parts


def as_fields(parts: list[Part]) -> Fields:
    """An object of the parts: plain fields as texts, files as objects. Raises MalformedBody for a field that is not UTF-8."""
    fields: Fields = {}
    for part in parts:
        add_field(fields, part.name, _text(part) if part.filename is None else _file(part))
    return fields


def openrosa_extras(parts: list[Part]) -> Fields:
    """What a submission brings beside its form: ``@attachments`` (files) and ``@fields``, each only if there is any.

    No element's name begins with @, so they stand beside the form's own key.
    """
    others = [part for part in parts if part.name != OPENROSA_PART]
    files = [_file(part) for part in others if part.filename is not None]
    plain = as_fields([part for part in others if part.filename is None])
    return {**({"@attachments": files} if files else {}), **({"@fields": plain} if plain else {})}


def _text(part: Part) -> str:
    try:
        return part.content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedBody(f"the field {part.name!r} of the multipart body is not UTF-8") from error


def _file(part: Part) -> Fields:
    return {
        "name": part.filename or part.name,
        "content_type": part.content_type,
        "size_bytes": len(part.content),
        "content_base64": b64encode(part.content).decode("ascii"),
    }


class _Collector:
    """Hears the parser."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.ended = False
        self._header = bytearray()
        self._value = bytearray()

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_part_data": self._data,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.parts) >= MOST_PARTS:
            raise MalformedBody(f"the multipart body has more than {MOST_PARTS} parts")
        self.parts.append(Part())

    def _data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].content += memoryview(data)[start:end]

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        name, value = bytes(self._header).strip().lower(), bytes(self._value)
        self._header.clear()
        self._value.clear()
        part = self.parts[-1]
        if name == b"content-disposition":
            _, options = parse_options_header(value)
            part.name = _label(options.get(b"name", b""))
            part.filename = _label(options[b"filename"]) if b"filename" in options else None
        elif name == b"content-type":
            part.content_type = _label(value)

    def _headers_finished(self) -> None:
        if not self.parts[-1].name:
            raise MalformedBody("a part of the multipart body has no name")

    def _end(self) -> None:
        self.ended = True


def _label(value: bytes) -> str:
    return value.decode("utf-8", "replace").strip()
