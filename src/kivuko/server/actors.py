"""Who speaks with a token, in a session, and what they may see: the platform's answers, for lanes. All of it blocks."""

from __future__ import annotations

from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from kivuko.errors import TokenExpired
from kivuko.platform.accounts.actors import Actor
from kivuko.platform.accounts.administrator import actor_of_user
from kivuko.platform.accounts.models import User
from kivuko.platform.accounts.policies import Action, may, role_in
from kivuko.platform.accounts.tokens import actor_of_token
from kivuko.platform.reaching import reaching
from kivuko.records import Id

__all__ = ["by_session", "by_token", "may_see"]


def by_token(text: str) -> Actor | None:
    """Who speaks with this API token; None when it is none, or no longer one. Raises RecordsUnavailable."""
    with reaching():
        try:
            return actor_of_token(text)
        except TokenExpired:
            return None


def by_session(key: str) -> Actor | None:
    """Who is signed in with this session; None when nobody is. Raises RecordsUnavailable."""
    request = HttpRequest()
    request.session = SessionStore(key)
    with reaching():
        user = get_user(request)
    return actor_of_user(user) if isinstance(user, User) and user.is_active else None


def may_see(actor: Actor, project_id: Id) -> bool:
    """Whether the actor may see a project. Raises RecordsUnavailable."""
    with reaching():
        return may(role_in(actor, project_id), Action.SEE)
