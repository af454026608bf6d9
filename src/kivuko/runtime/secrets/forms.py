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


def forms_of(secrets: Iterable[str], logins: Iterable[Login] = ()) -> tuple[str, ...]:
    """Every text that gives one of the secrets away, the longest first.

    That is the secret itself and stripped of white space, inside JSON, URL-encoded (Python's, form and JavaScript's way) and in base64
    (both alphabets, with and without padding), and ``user:secret`` and ``secret:`` in base64, as ``Basic`` headers hold them.
    """
    forms: set[str] = set()
    for secret in secrets:
        forms.update(_texts(secret))
        forms.update(_base64(secret))
    for user, secret in logins:
        forms.update(_base64(f"{user}:{secret}"))
        if not user:
            forms.update(_base64(f"{secret}:"))
    return tuple(sorted((form for form in forms if len(form) >= SHORTEST_SECRET), key=lambda form: (-len(form), form)))


def _texts(secret: str) -> Iterator[str]:
    for text in (secret, secret.strip()):
        yield text
        yield json.dumps(text, ensure_ascii=False)[1:-1]
        yield json.dumps(text)[1:-1]
        encodable = text.encode("utf-8", "surrogatepass")
        yield quote_plus(encodable)
        yield from (quote(encodable, safe=untouched) for untouched in _UNTOUCHED)


def _base64(text: str) -> Iterator[str]:
    encodable = text.encode("utf-8", "surrogatepass")
    for encoded in (base64.b64encode(encodable), base64.urlsafe_b64encode(encodable)):
        yield encoded.decode("ascii")
        yield encoded.decode("ascii").rstrip("=")
