"""``kivuko keys rotate``."""

from __future__ import annotations

import base64
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from kivuko.errors import DataFolderRefused, InputError
from kivuko.server.datafolder import DataFolder
from kivuko.server.keyring import add_encryption_key, keyring
from kivuko.server.rotation import rotate_keys
from kivuko.server.settings import ServerSettings
from records.conftest import own_server
from records.own_postgresql import OwnServer as OwnPostgresql
from server.own_server import OwnServer

__all__ = ["own_server"]

CANARY = "canary-in-the-coal-mine"


def rotated(data: Path, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Exit code and output of the command."""
    command = [sys.executable, "-m", "kivuko.cli", "keys", "rotate", "--data", str(data)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KIVUKO_", "DATABASE_URL"))}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env={**kept, **(environment or {})})
    return ended.returncode, ended.stdout + ended.stderr


def key() -> str:
    """A new encryption key."""
    return base64.b64encode(os.urandom(32)).decode()


def with_secrets(data: Path, environment: Mapping[str, str] | None = None) -> tuple[str, str]:
    """A server has kept a credential and the address of an inbox; the address and the administrator's token."""
    with OwnServer("--data", str(data), "--no-worker", environment=environment) as server:
        _, project = server.api("POST", "/projects", {"name": "clinic"})
        _, inboxes = server.api("GET", f"/projects/{project['id']}/inboxes")
        made = {"name": "dhis2", "body": {"password": CANARY}}
        assert server.api("POST", f"/projects/{project['id']}/credentials", made)[0] == 201
        token = server.token
        assert server.stop() == 0
    return inboxes["items"][0]["url"].removeprefix(server.url), token


def test_a_served_folder_gets_a_new_key_and_goes_on_with_it_alone(tmp_path: Path) -> None:
    address, _ = with_secrets(tmp_path)
    file = tmp_path / "secrets" / "encryption_keys"
    (old,) = file.read_text().split()
    code, said = rotated(tmp_path)
    new, *older = file.read_text().split()
    assert (code, older, new != old) == (0, [old], True), said
    assert "Secrets encrypted with the newest key: 2." in said
    assert str(file) in said
    for secret in (new, old, CANARY, address.rpartition("/")[2]):
        assert secret not in said
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text(new + "\n")
    with OwnServer("--data", str(tmp_path), "--no-worker") as server:
        assert server.ask("POST", address, {"n": 1})[0] == 202
        # What was encrypted with the new key is no longer of use to who has the old one.
        assert server.stop() == 0
    file.write_text(old + "\n")
    assert rotated(tmp_path)[0] == 1


def test_an_interrupted_rotation_goes_on_without_another_key(tmp_path: Path) -> None:
    with_secrets(tmp_path)
    add_encryption_key(tmp_path / "secrets")
    keys = (tmp_path / "secrets" / "encryption_keys").read_text()
    said: list[str] = []
    assert rotate_keys(ServerSettings(), tmp_path, said.append) == 0
    assert said[0] == "Secrets encrypted with the newest key: 2."
    assert (tmp_path / "secrets" / "encryption_keys").read_text() == keys
    assert len(keys.split()) == 2


def test_keys_that_a_setting_gives_are_used_in_its_order(tmp_path: Path) -> None:
    old, new = key(), key()
    with_secrets(tmp_path, {"KIVUKO_ENCRYPTION_KEYS": old})
    assert "put it at the end of KIVUKO_ENCRYPTION_KEYS" in rotated(tmp_path, {"KIVUKO_ENCRYPTION_KEYS": old})[1]
    code, said = rotated(tmp_path, {"KIVUKO_ENCRYPTION_KEYS": f"{new},{old}"})
    assert (code, "newest key: 2." in said, new in said or old in said) == (0, True, False), said
    assert not (tmp_path / "secrets" / "encryption_keys").exists()
    assert "All secrets (2)" in rotated(tmp_path, {"KIVUKO_ENCRYPTION_KEYS": new})[1]


def test_what_cannot_be_opened_is_told_and_fails(tmp_path: Path) -> None:
    with_secrets(tmp_path, {"KIVUKO_ENCRYPTION_KEYS": key()})
    code, said = rotated(tmp_path, {"KIVUKO_ENCRYPTION_KEYS": key()})
    assert code == 1
    assert said.count("Left as it was: a value of ") == 2
    assert "newest key: 0." in said


def test_what_cannot_be_opened_keeps_nothing_else_from_a_new_key(tmp_path: Path) -> None:
    with_secrets(tmp_path)
    with closing(sqlite3.connect(tmp_path / "kivuko.db")) as connection:
        assert connection.execute("UPDATE credentials_credential SET sealed = x'00'").rowcount == 1
        connection.commit()
    code, said = rotated(tmp_path)
    assert (code, said.count("Left as it was"), "newest key: 1." in said) == (1, 1, True), said
    assert len((tmp_path / "secrets" / "encryption_keys").read_text().split()) == 2


def test_while_a_server_works_with_the_file_nothing_is_done(tmp_path: Path) -> None:
    with_secrets(tmp_path)
    before = (tmp_path / "secrets" / "encryption_keys").read_text()
    with DataFolder.open(tmp_path).alone(), pytest.raises(DataFolderRefused):
        rotate_keys(ServerSettings(), tmp_path, print)
    assert (tmp_path / "secrets" / "encryption_keys").read_text() == before


def test_a_mistyped_folder_is_neither_made_nor_filled(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no data folder"):
        rotate_keys(ServerSettings(), tmp_path / "mistyped", print)
    assert not (tmp_path / "mistyped").exists()
    with pytest.raises(InputError, match="there is no database"):
        rotate_keys(ServerSettings(), tmp_path, print)
    assert list(tmp_path.iterdir()) == []


def test_a_new_key_stands_before_the_others(tmp_path: Path) -> None:
    (first,) = keyring(ServerSettings(), tmp_path).encryption_keys
    add_encryption_key(tmp_path)
    add_encryption_key(tmp_path)
    newest, newer, oldest = keyring(ServerSettings(), tmp_path).encryption_keys
    assert oldest == first
    assert len({newest, newer, oldest}) == 3
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert len([path for path in tmp_path.iterdir() if path.name.startswith("encryption_keys")]) == 1


@pytest.mark.postgres
def test_on_postgresql_servers_are_restarted_before_a_new_key_of_the_folder_is_used(tmp_path: Path, own_server: OwnPostgresql) -> None:
    given = {"DATABASE_URL": own_server.empty_database("rotated")}
    address, _ = with_secrets(tmp_path, given)
    code, said = rotated(tmp_path, given)
    assert (code, "Restart every server" in said, "newest key:" in said) == (0, True, False), said
    code, said = rotated(tmp_path, given)
    assert (code, "No server works with the newest key yet" in said, "newest key:" in said) == (1, True, False), said
    with OwnServer("--data", str(tmp_path), "--no-worker", environment=given) as server:
        code, said = rotated(tmp_path, given)
        assert (code, "newest key: 2." in said) == (0, True), said
        assert server.ask("POST", address, {"n": 1})[0] == 202
    assert len((tmp_path / "secrets" / "encryption_keys").read_text().split()) == 2
