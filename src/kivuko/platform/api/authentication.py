"""Who asks: ``Authorization: Bearer kvk_…``, or the browser's session with ``X-CSRFToken`` (spec/api.md §1)."""

from __future__ import annotations

from dataclasses import replace

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from kivuko.errors import Forbidden, Unauthenticated
from kivuko.platform.accounts.actors import Actor
from kivuko.platform.accounts.administrator import actor_of_user
from kivuko.platform.accounts.models import User
from kivuko.platform.accounts.tokens import actor_of_token
from kivuko.platform.ids import read_id

__all__ = ["AUTHENTICATION", "actor_of", "authenticate", "holder_of"]

_HARMLESS = ("GET", "HEAD", "OPTIONS")
_FIX = "Send the header Authorization: Bearer with an API token, or sign in."


def authenticate(request: HttpRequest) -> Actor:
    """Who asks. Raises Unauthenticated, TokenExpired, or Forbidden for a session's change without its CSRF token."""
    actor = replace(_presented(request), address=request.META.get("REMOTE_ADDR"))
    request.kivuko_actor = actor  # type: ignore[attr-defined]
    return actor


def actor_of(request: HttpRequest) -> Actor:
    """Whom ``authenticate`` has found."""
    found: Actor = request.kivuko_actor  # type: ignore[attr-defined]
    return found


def holder_of(actor: Actor) -> str:
    """Whose requests are counted together, and whose Idempotency-Keys are the same: a token's, or a person's."""
    return f"{actor.kind}:{actor.token_id or actor.user_id}"


def _presented(request: HttpRequest) -> Actor:
    header = request.headers.get("Authorization")
    if header is not None:
        kind, _, token = header.partition(" ")
        actor = actor_of_token(token.strip()) if kind.lower() == "bearer" else None
        if actor is None:
            raise Unauthenticated("the token in the header Authorization is not known", presented=True, fix=_FIX)
        return actor
    user = _signed_in(request)
    if user is not None:
        if request.method not in _HARMLESS and check_csrf(request) is not None:
            raise Forbidden("the request has no CSRF token", fix="Send the value of the cookie csrftoken in the header X-CSRFToken.")
        return actor_of_user(user)
    raise Unauthenticated("the request brings neither a token nor a session", fix=_FIX)


def _signed_in(request: HttpRequest) -> User | None:
    """Whose session this is; nobody's after the password was changed.

    Django's own middleware for this would bring its tables of permissions and content types.
    """
    user_id = read_id(request.session.get(SESSION_KEY))
    user = User.objects.filter(id=user_id, is_active=True).first() if user_id else None
    if user is None:
        return None
    stored = str(request.session.get(HASH_SESSION_KEY, ""))
    return user if constant_time_compare(stored, user.get_session_auth_hash()) else None


class Token(HttpBearer):
    """An API token; says so in the OpenAPI document, ``authenticate`` has done it already."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        """Who was found."""
        return actor_of(request)


class Session(APIKeyCookie):
    """The session of a signed-in person; says so in the OpenAPI document, ``authenticate`` has done it already."""

    param_name = "sessionid"

    def __init__(self) -> None:
        super().__init__(csrf=False)

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:
        """Who was found."""
        return actor_of(request)


AUTHENTICATION = (Token(), Session())
"""What an operation asks for, unless it is public."""
