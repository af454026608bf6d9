"""Reading the body of a request: JSON, strictly; and one member of it exactly as it was written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser

from kivuko.errors import BodyTooLarge, MalformedJson, UnsupportedMediaType, ValidationFailed

__all__ = ["MOST_BYTES", "StrictParser", "check_body", "is_text", "member_text"]

MOST_BYTES = 16 * 1024 * 1024
_BLANK = " \t\r\n"
_SUSPECT = re.compile(rb"\\u(0000|[dD][89a-fA-F])")
_NO_TEXT = "holds a character that no text may have (U+0000, or half of a surrogate pair)"
_PAYLOAD = "body"
"""Members of this name are not ours: they are kept as they were written."""


class StrictParser(Parser):
    """JSON without NaN and Infinity; at most 16 MiB."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The body's value. Raises MalformedJson or ValidationFailed."""
        return read_body(request.body)


def read_body(body: bytes) -> Any:
    """A JSON value. Raises MalformedJson, also for bad UTF-8 and what is nested too deeply; ValidationFailed for texts that are none."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        where = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise MalformedJson(f"the request's body is not JSON: {where}") from error
    if _SUSPECT.search(body):
        wrong = {path: [_NO_TEXT] for path, text in _texts(value) if not is_text(text)}
        if wrong:
            raise ValidationFailed(errors=wrong)
    return value


def is_text(text: str) -> bool:
    """Whether every database takes it: no U+0000, no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _texts(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, text) of all keys and texts outside payloads."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _texts(each, f"{path}.{at}" if path else str(at))
    elif isinstance(value, dict):
        for key, each in value.items():
            yield path, key
            if key != _PAYLOAD:
                yield from _texts(each, f"{path}.{key}" if path else key)


def check_body(request: HttpRequest) -> None:
    """Raises BodyTooLarge or UnsupportedMediaType. No body at all is read as ``{}``: what is needed is then missed by its name.

    curl calls what it sends with ``-d`` a form unless it is told otherwise: that name is taken for JSON too.
    """
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MOST_BYTES:
        raise BodyTooLarge(f"the body has more than {MOST_BYTES // 1024 // 1024} MiB")
    kind = (request.content_type or "").lower()
    known = kind in ("", "application/json", "application/x-www-form-urlencoded") or kind.endswith("+json")
    if request.method not in ("GET", "HEAD", "DELETE") and length != "0" and not known:
        raise UnsupportedMediaType(
            f"the content type {kind} is not taken here", fix="Send JSON with the header content-type: application/json."
        )
    if request.method in ("POST", "PUT", "PATCH") and not request.body:
        request._body = b"{}"


def member_text(body: bytes, name: str) -> str:
    """The text of a member of the top-level object, digit by digit as it was written: numbers keep what a double would lose.

    The body must have been read by ``read_body``. Raises KeyError when there is no such member.
    """
    text = body.decode("utf-8")
    decode = json.JSONDecoder().raw_decode
    found: str | None = None
    at = _skip(text, text.index("{") + 1)
    while text[at] != "}":
        key, at = decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, end = decode(text, start)
        if key == name:
            found = text[start:end]
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    if found is None:
        raise KeyError(name)
    return found


def _skip(text: str, at: int) -> int:
    while text[at] in _BLANK:
        at += 1
    return at


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
