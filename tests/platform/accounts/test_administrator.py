"""The first administrator is made once; the link and the token are shown once."""

from __future__ import annotations

import threading
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import authenticate
from django.db import connection
from django.utils import timezone

from kivuko.errors import InputError
from kivuko.platform.accounts.administrator import FirstAdministrator, first_administrator, redeem_sign_in_link
from kivuko.platform.accounts.models import ApiToken, SignInLink, User
from kivuko.platform.accounts.tokens import actor_of_token
from kivuko.platform.audit.models import AuditEntry
from own_platform import Place


@pytest.fixture
def empty(platform: Place) -> Place:
    """A platform without any user."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_user")
    return platform


def key_of(link: str | None) -> str:
    assert link is not None
    return parse_qs(urlsplit(link).query)["key"][0]


def test_a_link_and_a_token_are_made_for_who_brings_nothing(empty: Place) -> None:
    made = first_administrator()
    assert made is not None
    assert made.sign_in_link is not None
    assert made.sign_in_link.startswith("http://127.0.0.1:4000/sign-in?key=")
    assert made.token is not None
    assert made.token.startswith("kvk_")
    actor = actor_of_token(made.token)
    assert actor is not None
    assert (actor.user_id, actor.is_superuser) == (made.user_id, True)


def test_the_second_time_there_is_nothing_to_make(empty: Place) -> None:
    assert first_administrator() is not None
    assert first_administrator("other@example.org", "a long password", "x" * 32) is None
    assert User.objects.count() == 1


def test_who_brings_everything_is_told_nothing(empty: Place) -> None:
    made = first_administrator("Amina@example.org", "correct horse battery", "brought-along-" + "x" * 32)
    assert made is not None
    assert (made.email, made.sign_in_link, made.token) == ("Amina@example.org", None, None)
    assert actor_of_token("brought-along-" + "x" * 32) is not None
    assert authenticate(email="amina@EXAMPLE.org", password="correct horse battery") is not None
    assert authenticate(email="amina@example.org", password="wrong") is None
    assert authenticate(email="nobody@example.org", password="wrong") is None


def test_a_link_signs_in_once(empty: Place) -> None:
    made = first_administrator()
    assert made is not None
    key = key_of(made.sign_in_link)
    user = redeem_sign_in_link(key)
    assert user is not None
    assert user.id == made.user_id
    assert redeem_sign_in_link(key) is None
    assert redeem_sign_in_link("guess") is None


def test_a_link_is_dead_after_a_day(empty: Place) -> None:
    made = first_administrator()
    assert made is not None
    assert SignInLink.objects.get().expires_at - timezone.now() < timedelta(days=1)
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert redeem_sign_in_link(key_of(made.sign_in_link)) is None


@pytest.mark.parametrize(
    ("email", "password", "token"),
    [("nobody", "", ""), ("a b@c", "", ""), ("", "short", ""), ("", "", "x" * 31)],
    ids=["word", "space", "password", "token"],
)
def test_what_cannot_be_used_is_refused_and_nobody_is_made(empty: Place, email: str, password: str, token: str) -> None:
    with pytest.raises(InputError):
        first_administrator(email, password, token)
    assert User.objects.count() == 0


def test_neither_token_nor_link_nor_password_is_in_the_database_or_printed(empty: Place) -> None:
    made = first_administrator(password="correct horse battery")
    assert made is not None
    assert made.token is not None
    stored = repr([*ApiToken.objects.values(), *SignInLink.objects.values(), *User.objects.values(), *AuditEntry.objects.values()])
    for secret in (made.token, made.token[4:], "correct horse battery"):
        assert secret not in stored
        assert secret not in repr(made)


def test_passwords_are_hashed_with_the_memory_that_owasp_recommends(empty: Place) -> None:
    first_administrator(password="correct horse battery")
    assert User.objects.get().password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_two_processes_that_start_together_make_one(empty: Place) -> None:
    made: list[FirstAdministrator | None] = []
    ready = threading.Barrier(2)

    def start() -> None:
        ready.wait(10)
        made.append(first_administrator())
        connection.close()

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each is None for each in made].count(True) == 1
    assert User.objects.count() == 1
