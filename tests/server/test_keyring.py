"""The server's own secrets: made once, private, or given."""

from __future__ import annotations

import base64
import os
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from kivuko.errors import SettingInvalid
from kivuko.server.keyring import Keyring, keyring
from kivuko.server.settings import ServerSettings


def test_secrets_are_made_once_and_nobody_else_may_read_them(tmp_path: Path) -> None:
    made = keyring(ServerSettings(), tmp_path)
    assert made == keyring(ServerSettings(), tmp_path)
    assert len(base64.b64decode(made.encryption_keys[0])) == 32
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["encryption_keys", "secret_key", "worker_runs_key.pem", "worker_secret"]


def test_the_key_for_attempts_is_an_rsa_key(tmp_path: Path) -> None:
    key = serialization.load_pem_private_key(keyring(ServerSettings(), tmp_path).runs_private_key.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 2048


def test_a_secret_that_others_could_read_is_closed(tmp_path: Path) -> None:
    keyring(ServerSettings(), tmp_path)
    (tmp_path / "secret_key").chmod(0o644)
    keyring(ServerSettings(), tmp_path)
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_what_is_given_is_used_and_not_stored(tmp_path: Path) -> None:
    keys = (base64.b64encode(os.urandom(32)).decode(), base64.b64encode(os.urandom(32)).decode())
    pem = keyring(ServerSettings(), tmp_path / "x" if (tmp_path / "x").mkdir() is None else tmp_path).runs_private_key
    coded = base64.b64encode(pem.encode()).decode()
    settings = ServerSettings(secret_key="s", encryption_keys=keys, worker_secret="w", worker_runs_private_key=coded)
    given = keyring(settings, tmp_path / "y")
    assert given == Keyring("s", keys, "w", pem)
    assert not (tmp_path / "y").exists()


@pytest.mark.parametrize("key", ["short", "c2hvcnQ=", "not base64 at all!"])
def test_an_encryption_key_that_is_none_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingInvalid, match="base64 of 32 bytes") as refused:
        keyring(ServerSettings(encryption_keys=(key,)), tmp_path)
    assert key not in str(refused.value)


_NO_PEM = "-----BEGIN PRIVATE KEY-----\nxx\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize("key", [_NO_PEM, "bm90aGluZw==", "%%%"], ids=["pem", "coded", "neither"])
def test_a_key_for_attempts_that_is_none_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingInvalid, match="RSA"):
        keyring(ServerSettings(worker_runs_private_key=key), tmp_path)


def test_processes_that_start_together_use_the_same_secrets(tmp_path: Path) -> None:
    found: list[Keyring] = []
    together = threading.Barrier(4)

    def make() -> None:
        together.wait()
        found.append(keyring(ServerSettings(), tmp_path))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


def test_no_secret_is_in_a_representation(tmp_path: Path) -> None:
    made = keyring(ServerSettings(), tmp_path)
    assert repr(made) == "Keyring()"
