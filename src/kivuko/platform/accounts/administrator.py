"""The first administrator: made once, when nobody can sign in yet."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

from django.db import connection, transaction
from django.utils import timezone

from kivuko.errors import InputError
from kivuko.platform.accounts.actors import SYSTEM, Actor
from kivuko.platform.accounts.models import SignInLink, User
from kivuko.platform.accounts.passwords import SHORTEST_PASSWORD
from kivuko.platform.accounts.tokens import new_token
from kivuko.platform.audit.trail import note
from kivuko.platform.settings import current
from kivuko.records import Id

__all__ = ["FirstAdministrator", "actor_of_user", "first_administrator", "redeem_sign_in_link"]

DEFAULT_EMAIL = "admin@localhost.localdomain"
_LINK_LIVES = timedelta(days=1)
_LOCK = 27500


@dataclass(frozen=True)
class FirstAdministrator:
    """Who was made. ``sign_in_link`` and ``token`` are to be shown once; None where the person brought their own."""

    user_id: Id
    email: str
    sign_in_link: str | None = field(repr=False)
    token: str | None = field(repr=False)


def first_administrator(email: str = "", password: str = "", token: str = "") -> FirstAdministrator | None:
    """Makes the first administrator with these, or with a link and token of its own; None when there is a user already.

    Raises InputError for a password or token that is too short, or an address that is none.
    """
    _check(email, password)
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        if User.objects.exists():
            return None
        user = User(email=email or DEFAULT_EMAIL, name="Administrator", is_superuser=True)
        user.set_password(password or None)
        user.save()
        note(SYSTEM, "created", "user", user.id, after={"email": user.email, "is_superuser": True})
        made = new_token(user.id, "first token", actor=SYSTEM, text=token or None)
        link = None if password else _link(user)
    return FirstAdministrator(user.id, user.email, link, None if token else made.text)


def redeem_sign_in_link(secret: str) -> User | None:
    """The user of a link, once: the second time, or after a day, there is none."""
    digest = sha256(secret.encode("utf-8", "surrogatepass")).digest()
    with transaction.atomic():
        found = SignInLink.objects.select_for_update().select_related("user").filter(digest=digest).first()
        if found is None:
            return None
        found.delete()
        return found.user if found.expires_at > timezone.now() and found.user.is_active else None


def actor_of_user(user: User, *, address: str | None = None) -> Actor:
    """Who acts when this user is signed in."""
    return Actor(user.id, user.email, user.name, user.is_superuser, address=address)


def _link(user: User) -> str:
    secret = secrets.token_urlsafe(32)
    SignInLink.objects.create(user=user, digest=sha256(secret.encode()).digest(), expires_at=timezone.now() + _LINK_LIVES)
    return f"{current().public_url}/sign-in?key={secret}"


def _check(email: str, password: str) -> None:
    if email and ("@" not in email[1:-1] or len(email) > 160 or any(each.isspace() for each in email)):
        raise InputError(f"{email!r} is no e-mail address", fix="Correct KIVUKO_ADMIN_EMAIL.")
    if password and len(password) < SHORTEST_PASSWORD:
        raise InputError(f"the password has fewer than {SHORTEST_PASSWORD} characters", fix="Choose a longer KIVUKO_ADMIN_PASSWORD.")
