"""Keys and passwords: any one suffices, rotation refuses nobody, and time tells nothing."""

from __future__ import annotations

import hmac
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kivuko.records import Message
from kivuko.server.lanes.ingest import authentication
from kivuko.server.lanes.ingest.authentication import Verdict, api_key, authenticate, basic
from server.lanes.ingest.worlds import World

KEY, LOGIN = api_key("key", "s3cret"), basic("login", "amina", "pä:ss")


def login(text: str) -> tuple[bytes, bytes]:
    """A Basic header."""
    return b"authorization", b"Basic " + b64encode(text.encode())


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ([], Verdict(False)),
        ([(b"x-api-key", b"s3cret")], Verdict(True, True, "key")),
        ([(b"x-api-key", b" s3cret ")], Verdict(True, True, "key")),
        ([(b"x-api-key", b"S3cret")], Verdict(False, True)),
        ([(b"x-api-key", b"")], Verdict(False, True)),
        ([(b"x-api-key", "amina:pä:ss".encode())], Verdict(False, True)),
        ([login("amina:pä:ss")], Verdict(True, True, "login")),
        ([(b"authorization", b"bAsIc   " + login("amina:pä:ss")[1][6:])], Verdict(True, True, "login")),
        ([login("amina:wrong")], Verdict(False, True)),
        ([login("s3cret")], Verdict(False, True)),
        ([(b"authorization", b"Bearer s3cret")], Verdict(False, True)),
        ([(b"authorization", b"Basic !!!")], Verdict(False, True)),
        ([(b"authorization", b"Basic")], Verdict(False, True)),
        ([(b"x-api-key", b"wrong"), login("amina:pä:ss")], Verdict(True, True, "login")),
        ([(b"cookie", b"s3cret")], Verdict(False)),
    ],
)
def test_a_request_with_two_methods_to_choose_from(headers: list[tuple[bytes, bytes]], verdict: Verdict) -> None:
    assert authenticate(headers, (KEY, LOGIN)) == verdict


def test_without_methods_the_address_suffices() -> None:
    assert authenticate([], ()) == Verdict(True)


@pytest.mark.parametrize("key", [b"first", b"second", b"third", b"none"])
def test_every_method_is_compared_in_constant_time_whichever_matches(key: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def counted(one: Any, other: Any) -> bool:
        compared.append(len(one))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(authentication, "compare_digest", counted)
    methods = [api_key(name, name) for name in ("first", "second", "third")]
    assert authenticate([(b"x-api-key", key)], methods).allowed == (key != b"none")
    assert compared == [32, 32, 32]


def test_a_secret_is_not_in_what_is_printed() -> None:
    assert "s3cret" not in repr(KEY)
    assert KEY.digest.hex() not in repr(KEY)


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_whatever_comes_is_refused(key: bytes, header: bytes) -> None:
    assert not authenticate([(b"x-api-key", key + b"?"), (b"authorization", header)], (KEY, LOGIN)).allowed


def test_a_key_is_rotated_without_refusing_anybody(world: World) -> None:
    old, new = api_key("old", "old-key"), api_key("new", "new-key")
    statuses = []
    for methods, key in (((old,), "old-key"), ((old, new), "old-key"), ((old, new), "new-key"), ((new,), "new-key")):
        world.enter_inbox(auth_methods=methods)
        statuses += [world.post(world.inbox_url, {}, {"x-api-key": key}).status for _ in range(25)]
    assert set(statuses) == {202}
    refused = world.post(world.inbox_url, {}, {"x-api-key": "old-key"})
    assert (refused.status, refused.json["code"]) == (401, "unauthenticated")
    assert refused.headers["www-authenticate"].startswith("Basic ")
    assert {message.auth_method for message in world.rows(Message)} == {"old", "new"}
