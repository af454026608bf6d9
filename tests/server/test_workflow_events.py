"""The live topic ``workflows``: whoever shows a project's workflows hears of a change, on every node."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from own_platform import workflow
from records.conftest import own_server
from records.own_postgresql import OwnServer as OwnPostgresql
from server.own_server import OwnServer

__all__ = ["own_server"]


@contextmanager
def events(server: OwnServer, project: str, token: str) -> Iterator[Iterator[dict[str, Any]]]:
    """The events of the topic, as they come."""
    stream = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    stream.request("GET", f"/api/v1/projects/{project}/events?topics=workflows", headers={"authorization": f"Bearer {token}"})
    answer = stream.getresponse()
    assert answer.status == 200
    lines = iter(answer.readline, b"")
    try:
        yield (json.loads(line.removeprefix(b"data:")) for line in lines if line.startswith(b"data:"))
    finally:
        answer.close()
        stream.close()


def change_and_hear(one: OwnServer, other: OwnServer) -> None:
    """What is done on one is heard on the other."""
    _, project = one.api("POST", "/projects", {"name": "clinic"})
    with events(other, project["id"], one.token) as heard:
        status, made = one.api("POST", f"/projects/{project['id']}/workflows", workflow("Referrals"))
        assert status == 201
        event = next(heard)
        assert (event["kind"], event["id"], event["state"]) == ("workflow", made["id"], None)
        assert one.api("PATCH", f"/workflows/{made['id']}", {"name": "Payments"})[0] == 200
        assert next(heard)["id"] == made["id"]
        assert one.api("DELETE", f"/workflows/{made['id']}")[0] == 204
        assert next(heard)["id"] == made["id"]


def test_a_saved_workflow_is_told_to_who_shows_it(tmp_path: Path) -> None:
    with OwnServer("--data", str(tmp_path), "--no-worker") as server:
        change_and_hear(server, server)
        assert server.stop() == 0


@pytest.mark.postgres
def test_it_is_told_on_other_nodes_too(tmp_path: Path, own_server: OwnPostgresql) -> None:
    given = {"DATABASE_URL": own_server.empty_database("workflow_events")}
    words = ("--data", str(tmp_path), "--no-worker")
    with OwnServer(*words, environment=given) as one, OwnServer(*words, environment=given) as other:
        change_and_hear(one, other)
