"""API tokens: 256 random bits, shown once, kept as SHA-256; and who speaks when one is presented."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from kivuko.errors import InputError, ObjectMissing, TokenExpired
from kivuko.platform.accounts.actors import Actor
from kivuko.platform.accounts.models import ApiToken
from kivuko.platform.audit.trail import note
from kivuko.platform.reaching import reaching
from kivuko.records import Id

__all__ = ["PREFIX", "SHORTEST", "NewToken", "actor_of_token", "new_token", "revoke_token"]

PREFIX = "kvk_"
SHORTEST = 32
"""Characters of a token that somebody brings along."""
_USE_NOTED_EVERY = timedelta(seconds=60)


@dataclass(frozen=True)
class NewToken:
    """A token that was just made: its text is nowhere else."""

    id: Id
    text: str = field(repr=False)


def new_token(user_id: Id, name: str = "", *, actor: Actor, text: str | None = None, expires_at: datetime | None = None) -> NewToken:
    """Makes a token for a user; ``text`` when it is brought along. Raises InputError for one that is too short."""
    found = text or PREFIX + secrets.token_urlsafe(32)
    if len(found) < SHORTEST:
        raise InputError(f"an API token has at least {SHORTEST} characters", fix="Make one: openssl rand -hex 32.")
    with transaction.atomic():
        token = ApiToken.objects.create(user_id=user_id, name=name, prefix=found[:8], digest=_digest(found), expires_at=expires_at)
        note(actor, "created", "api_token", token.id, after={"name": name, "user_id": str(user_id)})
    return NewToken(token.id, found)


@reaching()
def actor_of_token(text: str) -> Actor | None:
    """Who speaks with this token; None when it is none of ours. Raises TokenExpired, RecordsUnavailable."""
    found = ApiToken.objects.select_related("user").filter(digest=_digest(text), user__is_active=True).first()
    if found is None:
        return None
    now = timezone.now()
    if found.expires_at is not None and found.expires_at <= now:
        raise TokenExpired()
    if found.last_used_at is None or now - found.last_used_at >= _USE_NOTED_EVERY:
        unnoted = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - _USE_NOTED_EVERY)
        ApiToken.objects.filter(unnoted, id=found.id).update(last_used_at=now)
    user = found.user
    return Actor(user.id, user.email, user.name, user.is_superuser, found.id)


def revoke_token(user_id: Id, token_id: Id, *, actor: Actor) -> None:
    """Takes a user's token away, at once. Raises ObjectMissing."""
    with transaction.atomic():
        if not ApiToken.objects.filter(id=token_id, user_id=user_id).delete()[0]:
            raise ObjectMissing()
        note(actor, "deleted", "api_token", token_id, before={"user_id": str(user_id)})


def _digest(text: str) -> bytes:
    # 256 random bits need no slow hash, and the look-up by digest tells nothing about the text.
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
