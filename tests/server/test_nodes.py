"""Two servers on one PostgreSQL: what one changes, the other knows."""

from __future__ import annotations

import base64
import http.client
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from records.conftest import own_server
from records.own_postgresql import OwnServer as OwnPostgresql
from server.own_server import OwnServer, until

__all__ = ["own_server"]

pytestmark = pytest.mark.postgres


def test_addresses_revocations_and_changes_are_known_on_every_node(tmp_path: Path, own_server: OwnPostgresql) -> None:
    given = {"DATABASE_URL": own_server.empty_database("nodes")}
    words = ("--data", str(tmp_path), "--no-worker")
    with OwnServer(*words, environment=given) as one, OwnServer(*words, environment=given) as other:
        bearer = {"authorization": f"Bearer {one.token}"}
        _, project = one.api("POST", "/projects", {"name": "clinic"})
        _, inboxes = one.api("GET", f"/projects/{project['id']}/inboxes")
        inbox = inboxes["items"][0]
        address = "/inbox/" + inbox["url"].rpartition("/")[2]
        # A new address works at once everywhere, asked for before or not.
        assert other.ask("POST", address, {"n": 1})[0] == 202
        stream = http.client.HTTPConnection("127.0.0.1", other.port, timeout=60)
        stream.request("GET", f"/api/v1/projects/{project['id']}/events?topics=messages", headers=bearer)
        events = stream.getresponse()
        status, taken = one.ask("POST", address, {"n": 2})
        assert status == 202
        assert any(taken["message_id"].encode() in line for line in iter(events.readline, b""))
        stream.close()
        # What was revoked on one node is dead on the other within a second or so.
        assert one.api("POST", f"/inboxes/{inbox['id']}/rotate", {"overlap_s": 0})[0] == 200
        until(lambda: other.ask("POST", address, {"n": 3})[0] == 404, 20)


def started(data: Path, environment: Mapping[str, str]) -> str:
    """What a server says that has to refuse to start."""
    with pytest.raises(AssertionError, match="did not start") as refused:
        OwnServer("--data", str(data), "--no-worker", environment=environment)
    return str(refused.value)


def accepted(data: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Exit code and output of ``kivuko keys accept``."""
    command = [sys.executable, "-m", "kivuko.cli", "keys", "accept", "--data", str(data)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **environment})
    return ended.returncode, ended.stdout + ended.stderr


def test_a_server_with_other_secrets_does_not_start_and_says_which(tmp_path: Path, own_server: OwnPostgresql) -> None:
    given = {"DATABASE_URL": own_server.empty_database("secrets")}
    one, other = tmp_path / "one", tmp_path / "other"
    with OwnServer("--data", str(one), "--no-worker", environment=given) as server:
        assert server.stop() == 0
    said = started(other, given)
    assert "encryption_keys" in said
    assert "kivuko keys accept" in said
    assert "Traceback" not in said
    (old,) = (one / "secrets" / "encryption_keys").read_text().split()
    new = base64.b64encode(os.urandom(32)).decode()
    said = started(other, {**given, "KIVUKO_ENCRYPTION_KEYS": old})
    assert "secret_key and worker_runs_private_key and worker_secret are not" in said
    # The same secrets and a newer key: the others have to follow.
    shutil.copytree(one / "secrets", other / "secrets", dirs_exist_ok=True)
    with OwnServer("--data", str(other), "--no-worker", environment={**given, "KIVUKO_ENCRYPTION_KEYS": f"{new},{old}"}) as server:
        assert server.stop() == 0
    assert "encryption_keys" in started(one, given)
    changed = {**given, "KIVUKO_ENCRYPTION_KEYS": f"{new},{old}", "WORKER_SECRET": "another-secret"}
    said = started(one, changed)
    assert "KIVUKO_WORKER_SECRET" in said
    assert "another-secret" not in said
    assert accepted(one, changed)[0] == 0
    with OwnServer("--data", str(one), "--no-worker", environment=changed) as server:
        assert server.stop() == 0


def test_on_sqlite_there_is_nothing_to_accept(tmp_path: Path) -> None:
    code, said = accepted(tmp_path, {})
    assert (code, "only the servers of a PostgreSQL database" in said) == (1, True)
