"""``kivuko migrate``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kivuko.errors import DataFolderRefused, InputError
from kivuko.server.datafolder import DataFolder
from kivuko.server.relocation import bring_up_to_date, relocate
from kivuko.server.settings import ServerSettings
from records.conftest import own_server
from records.own_postgresql import OwnServer as OwnPostgresql
from server.own_server import OwnServer

__all__ = ["own_server"]


def migrated(*words: str) -> tuple[int, str]:
    """Exit code and output of the command."""
    command = [sys.executable, "-m", "kivuko.cli", "migrate", *words]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.postgres
def test_a_served_folder_moves_and_goes_on_on_postgresql(tmp_path: Path, own_server: OwnPostgresql) -> None:
    with OwnServer("--data", str(tmp_path), "--no-worker") as server:
        _, project = server.api("POST", "/projects", {"name": "clinic"})
        _, inboxes = server.api("GET", f"/projects/{project['id']}/inboxes")
        address = inboxes["items"][0]["url"].removeprefix(server.url)
        _, taken = server.ask("POST", address, {"n": 1})
        large = {"text": "x" * 3_000_000}
        _, large_taken = server.ask("POST", address, large)
        token = server.token
        assert server.stop() == 0
    target = own_server.empty_database("moved")
    code, output = migrated("--data", str(tmp_path), "--to", target)
    assert (code, "Moved " in output) == (0, True), output
    assert "message: 2" in output
    assert migrated("--data", str(tmp_path), "--to", target)[0] == 1
    with OwnServer("--data", str(tmp_path), "--no-worker", environment={"DATABASE_URL": target}) as moved:
        as_before = {"authorization": f"Bearer {token}"}
        status, found = moved.ask("GET", f"/api/v1/projects/{project['id']}/messages", headers=as_before)
        assert (status, [item["id"] for item in found["items"]]) == (200, [large_taken["message_id"], taken["message_id"]])
        assert moved.ask("GET", f"/api/v1/messages/{large_taken['message_id']}/body", headers=as_before) == (200, large)
        assert moved.ask("POST", address, {"n": 2})[0] == 202


def test_a_database_is_brought_up_to_date_once(tmp_path: Path) -> None:
    assert "accounts.0001_initial" in migrated("--data", str(tmp_path))[1]
    assert migrated("--data", str(tmp_path)) == (0, "[CLI] ♦ The database is up to date.\n")


def test_while_a_server_works_with_it_nothing_is_done(tmp_path: Path) -> None:
    with DataFolder.open(tmp_path).alone():
        with pytest.raises(DataFolderRefused):
            bring_up_to_date(ServerSettings(), tmp_path, print)
        with pytest.raises(DataFolderRefused):
            relocate(ServerSettings(), tmp_path, "postgresql://127.0.0.1:1/none", print)


@pytest.mark.parametrize("address", ["sqlite:///other.db", "mysql://h/d", "nonsense"])
def test_only_postgresql_is_a_target(tmp_path: Path, address: str) -> None:
    with pytest.raises(InputError):
        relocate(ServerSettings(), tmp_path, address, print)


def test_a_folder_without_a_database_is_not_moved(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no data folder"):
        relocate(ServerSettings(), tmp_path / "mistyped", "postgresql://localhost/x", print)
    assert not (tmp_path / "mistyped").exists()
    with pytest.raises(InputError, match="has no database"):
        relocate(ServerSettings(), tmp_path, "postgresql://127.0.0.1:1/none", print)


def test_what_is_on_postgresql_already_is_not_moved(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="already"):
        relocate(ServerSettings(database_url="postgresql://h/d"), tmp_path, "postgresql://127.0.0.1:1/none", print)
