"""Who may post: an API key in ``x-api-key``, or Basic; any one of several methods, so that secrets can be rotated (R-042)."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from hmac import compare_digest

__all__ = ["AuthKind", "AuthMethod", "Verdict", "api_key", "authenticate", "basic"]

Headers = Sequence[tuple[bytes, bytes]]


class AuthKind(Enum):
    """How a secret is presented."""

    API_KEY = "api_key"
    BASIC = "basic"


@dataclass(frozen=True)
class AuthMethod:
    """A secret that is accepted, as its digest: of the key, or of ``username:password``."""

    name: str
    kind: AuthKind
    digest: bytes = field(repr=False)


@dataclass(frozen=True)
class Verdict:
    """``method`` is what let the request in, by name. ``presented`` tells a wrong secret from none."""

    allowed: bool
    presented: bool = False
    method: str | None = None


def api_key(name: str, key: str) -> AuthMethod:
    """The method of a key in the header ``x-api-key``."""
    return AuthMethod(name, AuthKind.API_KEY, sha256(key.encode()).digest())


def basic(name: str, username: str, password: str) -> AuthMethod:
    """The method of Basic authentication (RFC 7617; texts are UTF-8)."""
    return AuthMethod(name, AuthKind.BASIC, sha256(f"{username}:{password}".encode()).digest())


def authenticate(headers: Headers, methods: Sequence[AuthMethod]) -> Verdict:
    """Whether a request with these (lower-case) headers may come in. All methods are compared, whichever matches: time tells nothing."""
    if not methods:
        return Verdict(allowed=True)
    found: str | None = None
    presented = list(_presented(headers))
    for kind, digest in presented:
        for method in methods:
            if compare_digest(digest, method.digest) and kind is method.kind:
                found = method.name
    return Verdict(found is not None, bool(presented), found)


def _presented(headers: Headers) -> Iterable[tuple[AuthKind, bytes]]:
    for name, value in headers:
        if name == b"x-api-key":
            yield AuthKind.API_KEY, sha256(value.strip()).digest()
        elif name == b"authorization":
            yield AuthKind.BASIC, sha256(_basic_secret(value)).digest()


def _basic_secret(value: bytes) -> bytes:
    """``username:password`` of the header; of another scheme, something that is no secret at all."""
    scheme, _, encoded = value.strip().partition(b" ")
    if scheme.lower() != b"basic":
        return b""
    try:
        return b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        return b""
