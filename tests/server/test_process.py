"""The whole process, from outside: it starts, answers, drains, and says what is wrong. Few starts: each costs two seconds."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from kivuko.errors import DataFolderRefused, SettingInvalid
from kivuko.server.datafolder import DataFolder
from kivuko.server.process import run_server
from kivuko.server.settings import ServerSettings
from server.own_server import OwnServer, refused, until

TOKEN = "t" * 32
QUIET = "--no-worker"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    """A server that several tests ask."""
    with OwnServer("--data", str(tmp_path_factory.mktemp("served") / "data"), QUIET) as running:
        yield running


@pytest.fixture
def _umask() -> Iterator[None]:
    """Starting sets the process's umask: for tests that start in this one."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


def inbox_of(server: OwnServer, name: str) -> tuple[str, str]:
    """A new project's id and the path of its inbox."""
    status, project = server.api("POST", "/projects", {"name": name})
    assert status == 201
    _, inboxes = server.api("GET", f"/projects/{project['id']}/inboxes")
    return project["id"], inboxes["items"][0]["url"].removeprefix(server.url)


def stream_of(
    server: OwnServer, path: str, headers: dict[str, str] | None = None
) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    """An open stream."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", path, headers=headers or {})
    return connection, connection.getresponse()


def test_the_first_start_shows_the_administrator_once(server: OwnServer) -> None:
    assert server.api("GET", "/me")[0] == 200
    assert any("sign-in?key=" in line for line in server.said)
    assert server.token not in "\n".join(server.logged)


def test_nobody_else_may_read_what_the_server_writes(server: OwnServer) -> None:
    data = Path(until(lambda: server.events("serving"))[0]["data"])
    modes = {path.relative_to(data): stat.S_IMODE(path.stat().st_mode) & 0o077 for path in [data, *data.rglob("*")]}
    assert {path: mode for path, mode in modes.items() if mode} == {}
    assert Path("secrets/encryption_keys") in modes


def test_health_readiness_and_metrics_answer(server: OwnServer) -> None:
    assert server.ask("GET", "/health") == (200, {"status": "ok"})
    status, found = server.ask("GET", "/ready")
    assert (status, found["checks"]["database"]) == (200, "ok")
    status, text = server.ask("GET", "/metrics")
    assert (status, "kivuko_database_up 1.0" in text) == (200, True)


def test_what_is_not_for_everybody_is_not_for_who_comes_by_a_proxy(server: OwnServer) -> None:
    by_proxy = {"x-forwarded-for": "203.0.113.9"}
    assert "checks" not in server.ask("GET", "/ready", headers=by_proxy)[1]
    assert server.ask("GET", "/metrics", headers=by_proxy)[0] == 401
    assert server.ask("GET", "/metrics", headers={**by_proxy, "authorization": f"Bearer {server.token}"})[0] == 200


def test_the_first_page_says_what_this_is(server: OwnServer) -> None:
    status, page = server.ask("GET", "/")
    assert (status, "/api/v1/docs" in page) == (200, True)


@pytest.mark.parametrize("path", ["/inbox/01920000-0000-7000-8000-000000000001", "/api/v1/nothing", "/nothing", "/projects/nothing"])
def test_what_does_not_exist_is_404_by_lane_and_bridge_alike(server: OwnServer, path: str) -> None:
    assert server.ask("GET" if path.startswith("/projects") else "POST", path)[0] == 404


def test_a_message_is_taken_and_told_to_live_pages(server: OwnServer) -> None:
    project, address = inbox_of(server, "live")
    bearer = {"authorization": f"Bearer {server.token}"}
    connection, answer = stream_of(server, f"/api/v1/projects/{project}/events?topics=messages", bearer)
    assert (answer.status, answer.getheader("content-type")) == (200, "text/event-stream; charset=utf-8")
    status, taken = server.ask("POST", address, {"n": 1})
    assert (status, taken["data"]) == (202, [])
    event = next(line for line in iter(answer.readline, b"") if line.startswith(b"data:"))
    assert taken["message_id"].encode() in event
    connection.close()


def test_a_ticket_opens_a_stream_and_is_in_no_log(server: OwnServer) -> None:
    project, _ = inbox_of(server, "tickets")
    status, made = server.api("POST", "/stream_tickets", {})
    assert status == 201
    connection, answer = stream_of(server, f"/api/v1/projects/{project}/events?ticket={made['ticket']}")
    assert answer.status == 200
    connection.close()
    assert made["ticket"] not in "\n".join(server.logged)


def test_a_second_process_on_the_same_folder_is_refused(server: OwnServer) -> None:
    code, output = refused("--data", server.events("serving")[0]["data"], "--port", "0")
    assert (code, f"pid {server.process.pid}" in output, "kivuko migrate --to postgresql://" in output) == (1, True, True)


def test_what_was_acknowledged_is_there_after_a_kill_and_a_drain_finishes_what_is_open(tmp_path: Path) -> None:
    with OwnServer("--data", str(tmp_path), QUIET) as first:
        project, address = inbox_of(first, "clinic")
        taken = [first.ask("POST", address, {"n": n})[1]["message_id"] for n in range(5)]
        bearer = {"authorization": f"Bearer {first.token}"}
        first.kill()
    with OwnServer("--data", str(tmp_path), QUIET) as again:
        assert not any("kvk_" in line or "sign-in" in line for line in again.said)
        status, found = again.ask("GET", f"/api/v1/projects/{project}/messages", headers=bearer)
        assert (status, [item["id"] for item in found["items"]]) == (200, taken[::-1])
        connection, stream = stream_of(again, f"/api/v1/projects/{project}/events", bearer)
        slow = socket.create_connection(("127.0.0.1", again.port), timeout=60)
        slow.sendall(f"POST {address} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{{".encode())
        until(lambda: again.ask("GET", "/health")[0] == 200)
        again.process.send_signal(signal.SIGTERM)
        until(lambda: again.events("stopping"))
        assert b"retry: 2000" in stream.read()
        slow.sendall(b'"n": 123}')
        assert b" 202 " in slow.makefile("rb").readline()
        slow.close()
        connection.close()
        assert again.process.wait(60) == 0
        assert again.events("stopped")
    with DataFolder.open(tmp_path).alone():
        pass


def test_a_start_may_be_unattended_and_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    given = {
        "KIVUKO_DATA": str(tmp_path),
        "KIVUKO_ADMIN_EMAIL": "ada@example.org",
        "KIVUKO_ADMIN_PASSWORD": "correct horse battery",
        "KIVUKO_ADMIN_TOKEN": TOKEN,
    }
    (tmp_path / "kivuko.toml").write_text('log_format = "console"\nworker = false\ndrain_delay_s = 600\n')
    with OwnServer(environment=given) as server:
        assert any("ada@example.org" in line for line in server.said)
        until(lambda: server.logged)
        said = "\n".join([*server.said, *server.logged])
        assert (TOKEN in said, "correct horse" in said, server.logged[0].startswith("{")) == (False, False, False)
        assert server.ask("GET", "/api/v1/me", headers={"authorization": f"Bearer {TOKEN}"})[0] == 200
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.ask("GET", "/ready")[0] == 503)
        assert server.ask("GET", "/ready")[1]["checks"]["process"] == "the server is stopping"
        assert server.ask("GET", "/health")[0] == 200
        assert server.stop(signal.SIGINT) == 128 + signal.SIGINT


@pytest.mark.usefixtures("_umask")
def test_a_port_in_use_is_said_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SettingInvalid, match="in use"):
        run_server(ServerSettings(port=taken.getsockname()[1]), tmp_path / "data", print)
    assert not list((tmp_path / "data").glob("*.db"))


@pytest.mark.usefixtures("_umask")
def test_a_folder_that_is_held_is_refused_in_process_too(tmp_path: Path) -> None:
    with DataFolder.open(tmp_path).alone(), pytest.raises(DataFolderRefused):
        run_server(ServerSettings(port=0), tmp_path, print)


def test_an_unknown_setting_and_a_database_that_is_away_are_said_without_secrets(tmp_path: Path) -> None:
    code, output = refused("--data", str(tmp_path), "--port", "0", environment={"KIVUKO_HOTS": "x"})
    assert (code, "KIVUKO_HOST" in output) == (1, True)
    given = {"DATABASE_URL": "postgresql://me:canary@127.0.0.1:1/none"}
    code, output = refused("--data", str(tmp_path), "--port", "0", environment=given)
    assert (code, "canary" in output) == (1, False)
