"""The shapes in which a secret can turn up in a text."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from kivuko.runtime.secrets.values import SHORTEST_SECRET, Login

__all__ = ["forms_of"]

_UNTOUCHED = ("", "/", "-_.!~*'()", ";,/?:@&=+$#-_.!~*'()")
"""What stays as it is when Python's ``quote`` (strict and by default), encodeURIComponent and encodeURI write a text."""


_JSON_LEVELS = 3
"""How often a text is escaped when JSON stands in a text in JSON: once, twice, and once more for a log line that is written as JSON."""

_SHORTEST_PART = 6
"""Shorter parts of base64 turn up by chance, and a secret of five bytes gives as much at every place."""


def forms_of(secrets: Iterable[str], logins: Iterable[Login] = ()) -> tuple[str, ...]:
    """Every text that gives one of the secrets away, the longest first.

    That is the secret itself and stripped of white space, inside JSON (also JSON in a text in JSON), URL-encoded (Python's, form and
    JavaScript's way) and in base64 (both alphabets, with and without padding, also in the midst of a longer text), and ``user:secret`` and
    ``secret:`` in base64, as ``Basic`` headers hold them.
    """
    forms: set[str] = set()
    for secret in secrets:
        forms.update(_texts(secret))
        forms.update(_base64(secret))
        forms.update(_inside_base64(secret.strip()))
    for user, secret in logins:
        forms.update(_base64(f"{user}:{secret}"))
        if not user:
            forms.update(_base64(f"{secret}:"))
    return tuple(sorted((form for form in forms if len(form) >= SHORTEST_SECRET), key=lambda form: (-len(form), form)))


def _texts(secret: str) -> Iterator[str]:
    for text in (secret, secret.strip()):
        yield text
        yield from _inside_json(text, ascii_only=False)
        yield from _inside_json(text, ascii_only=True)
        encodable = text.encode("utf-8", "surrogatepass")
        yield quote_plus(encodable)
        yield from (quote(encodable, safe=untouched) for untouched in _UNTOUCHED)


def _inside_json(text: str, *, ascii_only: bool) -> Iterator[str]:
    for _ in range(_JSON_LEVELS):
        text = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield text


def _base64(text: str) -> Iterator[str]:
    encodable = text.encode("utf-8", "surrogatepass")
    for encoded in (base64.b64encode(encodable), base64.urlsafe_b64encode(encodable)):
        yield encoded.decode("ascii")
        yield encoded.decode("ascii").rstrip("=")


def _inside_base64(text: str) -> Iterator[str]:
    """What base64 makes of a text in the midst of another, for each place in a group of three bytes: the part no neighbour changes."""
    encodable = text.encode("utf-8", "surrogatepass")
    for before in range(3):
        begin, end = -(-before * 8 // 6), (before + len(encodable)) * 8 // 6
        if end - begin < _SHORTEST_PART:
            continue
        padded = bytes(before) + encodable
        yield base64.b64encode(padded)[begin:end].decode("ascii")
        yield base64.urlsafe_b64encode(padded)[begin:end].decode("ascii")
