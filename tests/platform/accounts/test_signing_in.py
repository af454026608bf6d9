"""The page behind the first administrator's link, and signing in by password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client

from kivuko.platform.accounts import signing_in
from kivuko.platform.accounts.administrator import first_administrator
from kivuko.platform.accounts.models import User
from kivuko.platform.accounts.tries import SignInTries, Tries
from kivuko.platform.api.context import Platform, use
from kivuko.platform.settings import records_database
from kivuko.records import Records
from own_platform import Place

HOST = "127.0.0.1:4000"


@pytest.fixture
def browser(sqlite_platform: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A browser that keeps cookies and is asked for CSRF tokens."""
    monkeypatch.setattr(signing_in, "_tries", SignInTries(of_client=Tries(at_once=3)))
    records = Records(records_database())
    use(Platform(records=records, public_url=sqlite_platform.settings.public_url))
    yield Client(enforce_csrf_checks=True, headers={"host": HOST})
    records.close()


def link() -> str:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_user")
    made = first_administrator("amina@example.org")
    assert made is not None
    assert made.sign_in_link is not None
    return made.sign_in_link


def send(browser: Client, path: str, **values: str) -> int:
    """Opens a page and submits its form; the status of the answer."""
    page = browser.get(path).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    hidden = dict(re.findall(r'name="(key)" value="([^"]*)"', page))
    return browser.post("/sign-in", {"csrfmiddlewaretoken": token[1], **hidden, **values}).status_code


def who(browser: Client) -> str | None:
    """Whom the API knows this browser as."""
    answer = browser.get("/api/v1/me")
    return str(answer.json()["user"]["email"]) if answer.status_code == 200 else None


def test_the_link_signs_in_once(browser: Client) -> None:
    address = urlsplit(link())
    assert send(browser, f"{address.path}?{address.query}") == 302
    assert who(browser) == "amina@example.org"
    stranger = Client(enforce_csrf_checks=True, headers={"host": HOST})
    assert send(stranger, f"{address.path}?{address.query}") == 403
    assert who(stranger) is None


def test_looking_at_the_link_does_not_use_it_up(browser: Client) -> None:
    address = urlsplit(link())
    for _ in range(3):
        assert browser.get(f"{address.path}?{address.query}").status_code == 200
    assert who(browser) is None
    assert send(browser, f"{address.path}?{address.query}") == 302


def test_without_the_pages_token_nothing_happens(browser: Client) -> None:
    key = parse_qs(urlsplit(link()).query)["key"][0]
    assert browser.post("/sign-in", {"key": key}).status_code == 403
    assert who(browser) is None


def test_a_password_signs_in(browser: Client) -> None:
    user = User.objects.get()
    user.set_password("correct horse battery")
    user.save()
    assert send(browser, "/sign-in", email=user.email, password="wrong") == 403
    assert who(browser) is None
    assert send(browser, "/sign-in", email=user.email.upper(), password="correct horse battery") == 302
    assert who(browser) == user.email


def test_after_a_few_tries_in_vain_even_the_right_password_has_to_wait(browser: Client) -> None:
    user = User.objects.get()
    user.set_password("correct horse battery")
    user.save()
    assert [send(browser, "/sign-in", email=user.email, password="wrong") for _ in range(3)] == [403] * 3
    assert send(browser, "/sign-in", email=user.email, password="correct horse battery") == 403
    assert who(browser) is None


def test_a_stranger_who_guesses_does_not_lock_the_person_out(browser: Client) -> None:
    user = User.objects.get()
    user.set_password("correct horse battery")
    user.save()
    stranger = Client(enforce_csrf_checks=True, headers={"host": HOST}, REMOTE_ADDR="203.0.113.9")
    assert [send(stranger, "/sign-in", email=user.email, password="wrong") for _ in range(20)] == [403] * 20
    assert send(stranger, "/sign-in", email=user.email, password="correct horse battery") == 403
    assert send(browser, "/sign-in", email=user.email, password="correct horse battery") == 302


def test_the_page_is_not_kept_framed_or_referred_to(browser: Client) -> None:
    answer = browser.get("/sign-in?key=%22%3E%3Cscript%3E")
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert "<script>" not in answer.content.decode()
    assert Client(headers={"host": HOST}).delete("/sign-in").status_code == 405
