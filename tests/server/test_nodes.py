"""Two servers on one PostgreSQL: what one changes, the other knows."""

from __future__ import annotations

import http.client
from pathlib import Path

import psycopg
import pytest

from records.conftest import own_server
from records.own_postgresql import OwnServer as OwnPostgresql
from server.own_server import OwnServer, until

__all__ = ["own_server"]

pytestmark = pytest.mark.postgres


def test_addresses_revocations_and_changes_are_known_on_every_node(tmp_path: Path, own_server: OwnPostgresql) -> None:
    named = psycopg.conninfo.conninfo_to_dict(own_server.address)
    with psycopg.connect(own_server.address, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS nodes")
        connection.execute("CREATE DATABASE nodes")
    given = {"DATABASE_URL": f"postgresql://{named['user']}@/nodes?host={named['host']}"}
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
