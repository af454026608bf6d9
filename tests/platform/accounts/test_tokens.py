"""API tokens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from kivuko.errors import InputError, ObjectMissing, TokenExpired
from kivuko.platform.accounts.models import ApiToken, User
from kivuko.platform.accounts.tokens import actor_of_token, new_token, revoke_token
from kivuko.platform.audit.models import AuditEntry
from kivuko.records import Id
from own_platform import Place


def owner(platform: Place) -> Id:
    assert platform.admin.user_id is not None
    return platform.admin.user_id


def test_a_token_speaks_for_its_user(platform: Place) -> None:
    made = new_token(owner(platform), "ci", actor=platform.admin)
    actor = actor_of_token(made.text)
    assert actor is not None
    assert (actor.user_id, actor.email, actor.token_id, actor.kind) == (owner(platform), "admin@example.org", made.id, "token")


def test_a_token_has_256_random_bits_behind_its_prefix(platform: Place) -> None:
    texts = {new_token(owner(platform), actor=platform.admin).text for _ in range(5)}
    assert len(texts) == 5
    assert {(text[:4], len(text)) for text in texts} == {("kvk_", 47)}


@pytest.mark.parametrize("text", ["", "kvk_", "kvk_guess", "\udcff", "x" * 10_000], ids=["empty", "prefix", "guess", "bad text", "long"])
def test_another_text_speaks_for_nobody(sqlite_platform: Place, text: str) -> None:
    new_token(owner(sqlite_platform), actor=sqlite_platform.admin)
    assert actor_of_token(text) is None


def test_an_expired_token_says_so(platform: Place) -> None:
    made = new_token(owner(platform), actor=platform.admin, expires_at=timezone.now() + timedelta(hours=1))
    assert actor_of_token(made.text) is not None
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(TokenExpired):
        actor_of_token(made.text)


def test_a_revoked_token_is_dead_at_once(platform: Place) -> None:
    made = new_token(owner(platform), actor=platform.admin)
    stranger = platform.user("other@example.org")
    assert stranger.user_id is not None
    with pytest.raises(ObjectMissing):
        revoke_token(stranger.user_id, made.id, actor=stranger)
    revoke_token(owner(platform), made.id, actor=platform.admin)
    assert actor_of_token(made.text) is None
    assert list(AuditEntry.objects.filter(item_type="api_token").order_by("id").values_list("event", flat=True)) == ["created", "deleted"]


def test_the_token_of_somebody_who_was_switched_off_is_dead(platform: Place) -> None:
    made = new_token(owner(platform), actor=platform.admin)
    User.objects.update(is_active=False)
    assert actor_of_token(made.text) is None


def test_its_last_use_is_noted_at_most_once_a_minute(platform: Place) -> None:
    made = new_token(owner(platform), actor=platform.admin)
    actor_of_token(made.text)
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    actor_of_token(made.text)
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    actor_of_token(made.text)
    found = ApiToken.objects.get().last_used_at
    assert found is not None
    assert found >= first


def test_a_token_costs_one_query_when_its_use_is_noted_already(sqlite_platform: Place) -> None:
    made = new_token(owner(sqlite_platform), actor=sqlite_platform.admin)
    actor_of_token(made.text)
    queries: list[str] = []
    with connection.execute_wrapper(lambda run, sql, *rest: (queries.append(sql), run(sql, *rest))[1]):
        actor_of_token(made.text)
    assert len(queries) == 1


def test_a_token_that_is_too_short_is_refused(sqlite_platform: Place) -> None:
    with pytest.raises(InputError, match="32 characters"):
        new_token(owner(sqlite_platform), actor=sqlite_platform.admin, text="short")
