"""The mssql and mongodb adaptors: they load, show their operations and credential form, and explain a server that cannot be reached."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kivuko.adaptors.credential_schema import credential_schema
from systems.adaptor_repo import VERSIONS, adaptor_repo, kivuko_command
from systems.job_run import RunJob

pytestmark = pytest.mark.network

OPERATIONS = {
    "mssql": ["describeTable", "findValue", "insert", "insertMany", "sql", "upsert", "upsertIf", "upsertMany"],
    "mongodb": ["findDocuments", "insertDocuments", "updateDocument"],
}
FORMS = {
    "mssql": (["server", "database", "userName", "password"], "password"),
    "mongodb": (["clusterHostname", "username", "password"], "password"),
}


@pytest.fixture
def closed_port() -> int:
    """A port of loopback where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def error_of(outcome: Any) -> dict[str, Any]:
    """The one error of a run that failed and exited with 0."""
    assert outcome.exit_code == 0, outcome.log
    error = outcome.state["errors"]["job-1"]
    assert "never" not in outcome.state
    assert isinstance(error, dict)
    return error


def test_mssql_explains_a_server_that_cannot_be_reached(run: RunJob, closed_port: int) -> None:
    place = {"server": "127.0.0.1", "port": closed_port, "database": "clinic"}
    outcome = run("mssql/01_count", {"configuration": {**place, "userName": "reader", "password": "mssql-pass-1"}})
    error = error_of(outcome)
    assert (error["name"], error["severity"]) == ("AdaptorError", "fail")
    assert f"Failed to connect to 127.0.0.1:{closed_port}" in error["message"]
    assert f"✘ Failed to connect to 127.0.0.1:{closed_port}" in outcome.log
    assert "mssql-pass-1" not in outcome.log


def test_mongodb_explains_a_server_that_cannot_be_reached(run: RunJob, closed_port: int) -> None:
    place = {"clusterHostname": f"127.0.0.1:{closed_port}", "protocol": "mongodb", "options": {}}
    outcome = run("mongodb/01_find", {"configuration": {**place, "username": "reader", "password": "mongo-pass-1"}, "today": "2026-01-05"})
    error = error_of(outcome)
    assert (error["name"], error["severity"]) == ("AdaptorError", "fail")
    assert f"failed to connect to server [127.0.0.1:{closed_port}]" in outcome.log
    assert f"failed to connect to server [127.0.0.1:{closed_port}]" in error["message"]
    assert "mongo-pass-1" not in outcome.log


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_operations_are_shown(name: str, tmp_path: Path) -> None:
    command = [kivuko_command(), "docs", f"{name}@{VERSIONS[name]}", "--repo-dir", str(adaptor_repo(name))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env={**os.environ, "NO_COLOR": "1"})
    assert done.returncode == 0, done.stdout
    for operation in OPERATIONS[name]:
        assert operation in done.stdout


@pytest.mark.parametrize("name", FORMS)
def test_the_credential_form_is_known(name: str) -> None:
    folder = adaptor_repo(name) / "node_modules" / "@openfn" / f"language-{name}_{VERSIONS[name]}"
    schema: Any = credential_schema(folder)
    required, secret = FORMS[name]
    assert schema["required"] == required
    assert schema["properties"][secret]["writeOnly"] is True
    assert all(about["title"] and about["description"] for about in schema["properties"].values())
