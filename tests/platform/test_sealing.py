"""Secrets are encrypted for their row, with a ring of keys that can be rotated."""

from __future__ import annotations

import base64

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from kivuko.errors import InputError, SecretUnreadable
from kivuko.platform.credentials.bodies import create_credential, credential_body
from kivuko.platform.credentials.models import Credential
from kivuko.platform.inbox.changing import inbox_url, inboxes_of
from kivuko.platform.rotation import Resealed, reseal, sealed_columns, stale_secrets, stored_secrets
from kivuko.platform.sealing import KeyRing, use_keys
from kivuko.records import new_id
from own_platform import KEY, OTHER_KEY, Place

THIRD_KEY = base64.b64encode(bytes(range(64, 96))).decode()
RING = KeyRing.read([KEY])


@given(st.binary(max_size=200))
def test_what_is_sealed_opens_again_and_never_looks_the_same_twice(plain: bytes) -> None:
    row = new_id()
    first, second = RING.seal(plain, "t", row), RING.seal(plain, "t", row)
    assert first != second
    assert RING.open(first, "t", row) == plain == RING.open(second, "t", row)


def test_a_sealed_value_has_version_key_id_and_nonce_before_the_ciphertext() -> None:
    sealed = RING.seal(b"secret", "t", new_id())
    assert sealed[0] == 1
    assert len(sealed) == 1 + 4 + 12 + len(b"secret") + 16
    assert b"secret" not in sealed


@pytest.mark.parametrize("place", ["another row", "another table"])
def test_a_value_that_is_moved_elsewhere_does_not_open(place: str) -> None:
    row = new_id()
    sealed = RING.seal(b"secret", "t", row)
    with pytest.raises(SecretUnreadable, match="belongs to another row"):
        RING.open(sealed, "t" if place == "another row" else "u", new_id() if place == "another row" else row)


def test_a_damaged_value_does_not_open() -> None:
    row = new_id()
    sealed = bytearray(RING.seal(b"secret", "t", row))
    sealed[-1] ^= 1
    with pytest.raises(SecretUnreadable):
        RING.open(bytes(sealed), "t", row)


def test_an_unknown_key_is_named_as_the_reason() -> None:
    row = new_id()
    with pytest.raises(SecretUnreadable, match="a key that this server does not have"):
        KeyRing.read([OTHER_KEY]).open(RING.seal(b"secret", "t", row), "t", row)


def test_older_keys_of_the_ring_still_open_and_the_newest_seals() -> None:
    row = new_id()
    old = RING.seal(b"secret", "t", row)
    both = KeyRing.read([OTHER_KEY, KEY])
    assert both.open(old, "t", row) == b"secret"
    assert not both.is_newest(old)
    assert both.is_newest(both.seal(b"secret", "t", row))


def test_without_a_key_nothing_is_sealed() -> None:
    with pytest.raises(InputError, match="no encryption key"):
        KeyRing([]).seal(b"secret", "t", new_id())


@pytest.mark.parametrize("text", ["c2hvcnQ=", "not base64!", ""])
def test_a_key_that_is_not_32_bytes_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="32 bytes"):
        KeyRing.read([text])


def test_every_secret_can_be_brought_to_a_new_key(platform: Place) -> None:
    project = platform.project()
    made = create_credential(project.id, {"name": "dhis2", "body": {"password": "hidden canary"}}, actor=platform.admin)
    inbox = inboxes_of(project.id)[0]
    url = inbox_url(inbox.id)
    use_keys(KeyRing.read([OTHER_KEY, KEY]))
    assert stale_secrets() == 2
    assert (reseal(), reseal()) == (Resealed(2), Resealed(0))
    assert (stale_secrets(), stored_secrets()) == (0, 2)
    use_keys(KeyRing.read([OTHER_KEY]))
    assert credential_body(made.id, project.id) == {"password": "hidden canary"}
    assert inbox_url(inbox.id) == url


def test_a_secret_whose_key_is_gone_stays_as_it_is(sqlite_platform: Place) -> None:
    project = sqlite_platform.project()
    made = create_credential(project.id, {"name": "dhis2", "body": {"a": "b"}}, actor=sqlite_platform.admin)
    before = bytes(Credential.objects.get(id=made.id).sealed)
    use_keys(KeyRing.read([OTHER_KEY]))
    create_credential(project.id, {"name": "later", "body": {"c": "d"}}, actor=sqlite_platform.admin)
    use_keys(KeyRing.read([THIRD_KEY, OTHER_KEY]))
    resealed = reseal()
    # Of three the one whose key is there; that of the credential and that of the inbox are gone.
    assert (resealed.done, len(resealed.unreadable), stale_secrets()) == (1, 2, 2)
    assert any(str(made.id) in reason for reason in resealed.unreadable)
    assert bytes(Credential.objects.get(id=made.id).sealed) == before
    use_keys(KeyRing.read([THIRD_KEY, KEY]))
    assert reseal() == Resealed(2)
    assert credential_body(made.id, project.id) == {"a": "b"}


def test_what_was_broken_off_goes_on(platform: Place) -> None:
    project = platform.project()
    for n in range(150):
        create_credential(project.id, {"name": f"c{n}", "body": {"n": n}}, actor=platform.admin)
    use_keys(KeyRing.read([OTHER_KEY, KEY]))

    def broken_off(done: int) -> None:
        raise KeyboardInterrupt(done)

    with pytest.raises(KeyboardInterrupt, match="100"):
        reseal(broken_off)
    assert stale_secrets() == stored_secrets() - 100 == 51
    heard: list[int] = []
    assert reseal(heard.append) == Resealed(51)
    assert heard == []


def test_every_column_of_secrets_is_known() -> None:
    assert {(model.__name__, name) for model, name in sealed_columns()} >= {
        ("Credential", "sealed"),
        ("AuthMethod", "sealed"),
        ("InboxSecret", "sealed"),
    }


def test_the_database_holds_no_secret_in_clear(sqlite_platform: Place) -> None:
    project = sqlite_platform.project()
    canary = "canary-in-the-coal-mine"
    create_credential(project.id, {"name": "dhis2", "body": {"password": canary}}, actor=sqlite_platform.admin)
    secret = inbox_url(inboxes_of(project.id)[0].id).rpartition("/")[2]
    connection.close()
    stored = b"".join(path.read_bytes() for path in sqlite_platform.settings.data_folder.iterdir())
    for text in (canary, secret, base64.b64encode(canary.encode()).decode(), secret.replace("-", "")):
        assert text.encode() not in stored
