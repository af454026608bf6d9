"""What holds for every request: who asks, request ids, errors as problems, nothing ignored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.test import Client
from django.utils import timezone

from kivuko.platform.accounts.models import ApiToken, User
from kivuko.platform.api.context import platform, use
from kivuko.platform.api.rates import RateLimits
from platform_api.world import Answer, Caller, World

UNKNOWN = "0192f0a1-7c3e-7b42-8d11-3f2a9c4e5b60"


def test_nobody_and_a_wrong_token_are_unauthenticated(small_world: World) -> None:
    for caller in (Caller(None), Caller("kvk_wrong")):
        answer = caller.ask("GET", "me")
        assert (answer.status, answer.code) == (401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_past_its_time_says_so(small_world: World) -> None:
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert small_world.api.ask("GET", "me").code == "token_expired"


def test_a_deleted_token_is_dead_at_once(small_world: World) -> None:
    made = small_world.api.post("tokens", {"name": "nightly"})
    caller = Caller(made["token"])
    assert made["token"].startswith("kvk_")
    assert caller.get("me")["token_id"] == made["id"]
    assert small_world.api.ask("DELETE", f"tokens/{made['id']}").status == 204
    assert caller.ask("GET", "me").status == 401
    assert small_world.api.ask("DELETE", f"tokens/{made['id']}").status == 404
    assert made["token"] not in str(small_world.api.get("tokens"))


def test_a_session_reads_and_needs_its_csrf_token_to_write(small_world: World) -> None:
    user = User.objects.get(id=small_world.place.admin.user_id)
    browser = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    session = browser.session
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.id), user.get_session_auth_hash()
    session.save()
    browser.cookies["csrftoken"] = "a" * 32
    assert browser.get("/api/v1/me").json()["user"]["email"] == user.email
    refused = browser.post("/api/v1/projects", {"name": "one"}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    made = browser.post("/api/v1/projects", {"name": "one"}, content_type="application/json", headers={"X-CSRFToken": "a" * 32})
    assert made.status_code == 201
    user.set_password("another password")
    user.save()
    assert browser.get("/api/v1/me").status_code == 401


def test_a_request_id_is_kept_when_it_is_harmless(small_world: World) -> None:
    given = "trace-0123456789-abcdef"
    assert small_world.api.ask("GET", "me", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given
    answer = small_world.api.ask("GET", f"runs/{UNKNOWN}", headers={"X-Request-Id": given})
    assert answer.json["request_id"] == given
    for bad in ("short", "x" * 201, "with spaces in it, and more", "<script>alert(1)</script>"):
        made = small_world.api.ask("GET", "me", headers={"X-Request-Id": bad}).headers["X-Request-Id"]
        assert made != bad
        assert len(made) == 36


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "nowhere", 404, "not_found"),
        ("GET", "", 404, "not_found"),
        ("GET", "projects/", 404, "not_found"),
        ("GET", "runs/abc", 404, "not_found"),
        ("GET", f"runs/{UNKNOWN}", 404, "not_found"),
        ("DELETE", "me", 405, "method_not_allowed"),
        ("PATCH", f"runs/{UNKNOWN}", 405, "method_not_allowed"),
    ],
)
def test_errors_of_the_address_are_problems(small_world: World, method: str, path: str, status: int, code: str) -> None:
    answer = small_world.api.ask(method, path)
    assert (answer.status, answer.code) == (status, code)
    assert answer.json["status"] == status
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]


def test_a_method_that_is_not_allowed_names_those_that_are(small_world: World) -> None:
    assert set(small_world.api.ask("PUT", "projects").headers["Allow"].split(", ")) == {"GET", "POST"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (b"\xff", 400, "malformed_json"),
        (b'{"name": NaN}', 400, "malformed_json"),
        (b"[" * 100_000, 400, "malformed_json"),
        (b"[]", 422, "validation_failed"),
        (b'{"name": "x", "nmae": "y"}', 422, "validation_failed"),
        (b"{}", 422, "validation_failed"),
    ],
)
def test_errors_of_the_body_are_problems(small_world: World, body: bytes, status: int, code: str) -> None:
    for path in ("tokens", "projects"):
        answer = small_world.api.ask("POST", path, body)
        assert (answer.status, answer.code) == (status, code), answer.body


def test_unknown_keys_and_filters_are_refused_by_name(small_world: World) -> None:
    answer = small_world.api.ask("POST", "tokens", {"name": "x", "expires": 1})
    assert answer.json["errors"] == {"expires": ["is no key of this object"]}
    answer = small_world.api.ask("GET", f"projects/{small_world.id}/runs?stat=lost")
    assert (answer.status, list(answer.json["errors"])) == (422, ["stat"])
    assert small_world.api.ask("GET", "me?x=1").status == 422


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("state=running", "state.0"),
        ("job_id=1", "job_id.0"),
        ("started_after=yesterday", "started_after"),
        ("started_after=2026-02-30T00:00:00Z", "started_after"),
    ],
)
def test_filters_that_cannot_be_are_refused(small_world: World, query: str, path: str) -> None:
    answer = small_world.api.ask("GET", f"projects/{small_world.id}/runs?{query}")
    assert (answer.status, answer.code) == (422, "validation_failed")
    assert list(answer.json["errors"]) == [path], answer.body


@pytest.mark.parametrize("path", ["projects", "tokens"])
def test_a_body_that_is_no_object_is_named(small_world: World, path: str) -> None:
    answer = small_world.api.ask("POST", path, b"[]", {"Content-Type": "application/json"})
    assert (answer.status, answer.json["errors"]) == (422, {"": ["the body must be an object"]})


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/json"}])
def test_no_body_says_nothing_and_what_is_needed_is_missed_by_name(small_world: World, headers: dict[str, str]) -> None:
    answer = small_world.api.ask("POST", "tokens", b"", headers)
    assert (answer.status, answer.json["errors"]) == (422, {"name": ["is missing"]})


def test_a_cursor_that_no_list_gave_is_malformed(small_world: World) -> None:
    for cursor in ("x", "AAAA", "%00", "ä", "A" * 300):
        assert small_world.api.ask("GET", f"projects/{small_world.id}/runs?cursor={cursor}").code == "malformed_cursor"


def test_other_content_types_are_refused_and_curls_default_is_not(small_world: World) -> None:
    def post(kind: str) -> Answer:
        return small_world.api.ask("POST", "projects", b'{"name": "by-curl"}', {"Content-Type": kind})

    assert post("text/xml").code == "unsupported_media_type"
    assert post("application/x-www-form-urlencoded").status == 201


def test_a_body_that_is_too_large_is_refused_by_its_head(small_world: World) -> None:
    answer = small_world.api.ask("POST", "projects", b"x", headers={"Content-Length": str(2**30)})
    assert (answer.status, answer.code) == (413, "too_large")


def test_rates_are_told_and_kept(small_world: World) -> None:
    use(replace(platform(), rates=RateLimits(limit=2, window_s=60, now_s=lambda: 5.0)))
    first, second, third = (small_world.api.ask("GET", "me") for _ in range(3))
    assert (first.headers["RateLimit-Limit"], first.headers["RateLimit-Remaining"], second.headers["RateLimit-Remaining"]) == (
        "2",
        "1",
        "0",
    )
    assert (third.status, third.code, third.headers["Retry-After"]) == (429, "rate_limited", "60")
    assert small_world.stranger().ask("GET", "me").status == 200


def test_what_nobody_foresaw_tells_nothing_of_the_inside(small_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kivuko.platform.api.routes.workers.list_workers", lambda *_: 1 / 0)
    answer = small_world.api.ask("GET", "workers")
    assert (answer.status, answer.code) == (500, "internal_error")
    assert b"division" not in answer.body


def test_a_database_that_is_away_is_503(small_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_world.records.database, "path", small_world.place.settings.data_folder / "gone" / "x.db", raising=True)
    answer = small_world.api.ask("GET", "workers")
    assert (answer.status, answer.code) == (503, "database_unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
