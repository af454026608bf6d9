"""The servers of a database have the same secrets, or are told which ones differ."""

from __future__ import annotations

import base64
import hashlib
import threading

import pytest
from django.db import connection

from kivuko.errors import SettingInvalid
from kivuko.platform.projects.models import SharedSecret
from kivuko.platform.shared_secrets import accept_secrets, agree_on_keys, agree_on_secrets, keep_keys
from own_platform import Place

FIRST, SECOND, THIRD, OTHER = (base64.b64encode(bytes([n]) * 32).decode() for n in range(4))
GIVEN = {"secret_key": "short", "worker_secret": "s3cret-of-workers"}


def test_the_first_servers_secrets_are_those_of_all(platform: Place) -> None:
    agree_on_secrets(GIVEN)
    agree_on_secrets(GIVEN)
    agree_on_secrets({"worker_secret": GIVEN["worker_secret"]})
    with pytest.raises(SettingInvalid, match="this server's worker_secret is not what the other servers") as refused:
        agree_on_secrets({**GIVEN, "worker_secret": "another"})
    assert "KIVUKO_WORKER_SECRET" in refused.value.fix
    assert "another" not in str(refused.value) + refused.value.fix
    with pytest.raises(SettingInvalid, match="secret_key and worker_secret are not"):
        agree_on_secrets({"secret_key": "x", "worker_secret": "y"})
    agree_on_secrets(GIVEN)


def test_a_refused_server_leaves_nothing_behind(platform: Place) -> None:
    agree_on_secrets({"worker_secret": "a"})
    with pytest.raises(SettingInvalid):
        agree_on_secrets({"secret_key": "new", "worker_secret": "b"})
    agree_on_secrets({"secret_key": "mine", "worker_secret": "a"})


def test_fingerprints_do_not_tell_the_secrets(platform: Place) -> None:
    agree_on_secrets(GIVEN)
    agree_on_keys([FIRST, SECOND])
    kept = {row.name: row.fingerprint for row in SharedSecret.objects.all()}
    assert kept.keys() == {"secret_key", "worker_secret", "encryption_keys"}
    text = " ".join(kept.values())
    for secret in (*map(str.encode, GIVEN.values()), base64.b64decode(FIRST), base64.b64decode(SECOND)):
        for told in (secret.hex(), hashlib.sha256(secret).hexdigest()[:32], base64.b64encode(secret).decode()):
            assert told not in text
    # The same secret looks different in another database.
    SharedSecret.objects.all().delete()
    agree_on_secrets(GIVEN)
    assert SharedSecret.objects.get(name="secret_key").fingerprint != kept["secret_key"]


@pytest.mark.parametrize(
    ("rings", "well"),
    [
        ([[FIRST], [FIRST]], True),
        ([[FIRST], [OTHER]], False),
        # One server after the other learns a new key, then encrypts with it, then forgets the old one.
        ([[FIRST], [FIRST, SECOND], [FIRST], [FIRST, SECOND], [SECOND, FIRST], [FIRST, SECOND], [SECOND, FIRST], [SECOND]], True),
        ([[FIRST], [SECOND, FIRST], [FIRST]], False),
        ([[FIRST], [SECOND, FIRST], [FIRST, SECOND], [FIRST]], False),
        ([[SECOND, FIRST], [SECOND], [FIRST, SECOND], [THIRD, SECOND, FIRST], [SECOND, FIRST]], False),
        ([[FIRST], [SECOND, THIRD]], False),
    ],
    ids=["same", "another", "rotation", "behind", "behind one that lags", "behind two", "grown past it"],
)
def test_the_newest_key_must_be_known_to_all(sqlite_platform: Place, rings: list[list[str]], well: bool) -> None:
    for ring in rings[:-1]:
        agree_on_keys(ring)
    if well:
        agree_on_keys(rings[-1])
        return
    with pytest.raises(SettingInvalid, match="encryption_keys") as refused:
        agree_on_keys(rings[-1])
    assert not any(key in str(refused.value) for key in (FIRST, SECOND, THIRD, OTHER))


def test_a_rotation_back_to_an_older_key_counts(platform: Place) -> None:
    agree_on_keys([FIRST])
    agree_on_keys([SECOND, FIRST])
    keep_keys([FIRST, SECOND])
    agree_on_keys([FIRST])


def test_secrets_that_were_changed_on_purpose_are_accepted(platform: Place) -> None:
    agree_on_secrets(GIVEN)
    agree_on_keys([FIRST])
    accept_secrets({**GIVEN, "secret_key": "new"}, [SECOND])
    agree_on_secrets({**GIVEN, "secret_key": "new"})
    agree_on_keys([SECOND])
    with pytest.raises(SettingInvalid):
        agree_on_secrets(GIVEN)


def test_of_two_that_start_at_once_one_is_the_first(platform: Place) -> None:
    ready, outcomes = threading.Barrier(2), []

    def start(secret: str) -> None:
        ready.wait(20)
        try:
            agree_on_secrets({"worker_secret": secret})
            outcomes.append(secret)
        except SettingInvalid:
            outcomes.append("refused")
        finally:
            connection.close()

    both = [threading.Thread(target=start, args=(secret,)) for secret in ("a", "b")]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(60)
    assert sorted(outcomes) in (["a", "refused"], ["b", "refused"])
