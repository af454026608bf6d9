"""The whole process, from outside: it starts, answers, drains, and says what is wrong."""

from __future__ import annotations

import http.client
import signal
import socket
import stat
from pathlib import Path

import pytest

from kivuko.server.datafolder import DataFolder
from server.own_server import OwnServer, refused, until

TOKEN = "t" * 32
QUIET = ("--no-worker",)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> object:
    """A server that several tests ask."""
    with OwnServer("--data", str(tmp_path_factory.mktemp("served")), *QUIET) as running:
        yield running


def test_the_first_start_shows_the_administrator_once(tmp_path: Path) -> None:
    with OwnServer("--data", str(tmp_path), *QUIET) as first:
        assert first.api("GET", "/me")[0] == 200
        assert any("sign-in?key=" in line for line in first.said)
        assert first.token not in "\n".join(first.logged)
        assert first.stop() == 0
    with OwnServer("--data", str(tmp_path), *QUIET) as second:
        assert not any("kvk_" in line or "sign-in" in line for line in second.said)
        assert second.ask("GET", "/api/v1/me", headers={"authorization": f"Bearer {first.token}"})[0] == 200


def test_an_unattended_start_takes_the_administrator_from_variables(tmp_path: Path) -> None:
    given = {"KIVUKO_ADMIN_EMAIL": "ada@example.org", "KIVUKO_ADMIN_PASSWORD": "correct horse battery", "KIVUKO_ADMIN_TOKEN": TOKEN}
    with OwnServer("--data", str(tmp_path), *QUIET, environment=given) as server:
        assert any("ada@example.org" in line for line in server.said)
        said = "\n".join([*server.said, *server.logged])
        assert TOKEN not in said
        assert "correct horse" not in said
        assert server.ask("GET", "/api/v1/me", headers={"authorization": f"Bearer {TOKEN}"})[0] == 200


def test_nobody_else_may_read_what_the_server_writes(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with OwnServer("--data", str(data), *QUIET):
        modes = {path.relative_to(data): stat.S_IMODE(path.stat().st_mode) & 0o077 for path in data.rglob("*")}
    assert modes
    assert {path: mode for path, mode in modes.items() if mode} == {}


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
    assert status == 200
    assert "/api/v1/docs" in page


@pytest.mark.parametrize("path", ["/inbox/01920000-0000-7000-8000-000000000001", "/api/v1/nothing", "/nothing"])
def test_what_does_not_exist_is_404_by_lane_and_bridge_alike(server: OwnServer, path: str) -> None:
    assert server.ask("POST", path, {})[0] == 404


def test_a_message_is_taken_and_told_to_live_pages(server: OwnServer) -> None:
    status, project = server.api("POST", "/projects", {"name": "clinic"})
    assert status == 201
    _, inboxes = server.api("GET", f"/projects/{project['id']}/inboxes")
    address = inboxes["items"][0]["url"].removeprefix(server.url)
    stream = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    stream.request("GET", f"/api/v1/projects/{project['id']}/events?topics=messages", headers={"authorization": f"Bearer {server.token}"})
    answer = stream.getresponse()
    assert (answer.status, answer.getheader("content-type")) == (200, "text/event-stream; charset=utf-8")
    status, taken = server.ask("POST", address, {"n": 1})
    assert (status, taken["data"]) == (202, [])
    lines = iter(answer.readline, b"")
    event = next(line for line in lines if line.startswith(b"data:"))
    assert taken["message_id"].encode() in event
    stream.close()


def test_a_ticket_opens_a_stream(server: OwnServer) -> None:
    status, project = server.api("POST", "/projects", {"name": "tickets"})
    status, ticket = server.api("POST", "/stream_tickets", {})
    assert status == 201
    stream = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    stream.request("GET", f"/api/v1/projects/{project['id']}/events?ticket={ticket['ticket']}")
    assert stream.getresponse().status == 200
    stream.close()
    assert ticket["ticket"] not in "\n".join(server.logged)


def test_a_second_process_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with OwnServer("--data", str(tmp_path), *QUIET) as first:
        code, output = refused("--data", str(tmp_path), "--port", "0")
        assert code == 1
        assert f"pid {first.process.pid}" in output
        assert "kivuko migrate --to postgresql://" in output


def test_a_port_in_use_is_said_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, output = refused("--data", str(tmp_path), "--port", str(taken.getsockname()[1]))
    assert (code, "in use" in output) == (1, True)


def test_an_unknown_setting_is_refused_with_the_nearest(tmp_path: Path) -> None:
    code, output = refused("--data", str(tmp_path), "--port", "0", environment={"KIVUKO_HOTS": "x"})
    assert code == 1
    assert "KIVUKO_HOST" in output


def test_postgresql_that_is_not_there_is_said_without_its_password(tmp_path: Path) -> None:
    given = {"DATABASE_URL": "postgresql://me:canary@127.0.0.1:1/none"}
    code, output = refused("--data", str(tmp_path), "--port", "0", environment=given)
    assert code == 1
    assert "canary" not in output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_it_drain(tmp_path: Path, number: signal.Signals) -> None:
    with OwnServer("--data", str(tmp_path), *QUIET) as server:
        assert server.stop(number) == 0
        assert server.events("stopped")
    with DataFolder.open(tmp_path).alone():
        pass


def test_while_it_drains_it_is_not_ready_and_still_answers(tmp_path: Path) -> None:
    with OwnServer("--data", str(tmp_path), *QUIET, environment={"KIVUKO_DRAIN_DELAY_S": "600"}) as server:
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.ask("GET", "/ready")[0] == 503)
        assert server.ask("GET", "/ready")[1]["checks"]["process"] == "the server is stopping"
        assert server.ask("GET", "/health")[0] == 200
        assert server.stop(signal.SIGINT) == 128 + signal.SIGINT


def test_a_request_that_is_under_way_is_finished(tmp_path: Path) -> None:
    with OwnServer("--data", str(tmp_path), *QUIET) as server:
        _, project = server.api("POST", "/projects", {"name": "clinic"})
        _, inboxes = server.api("GET", f"/projects/{project['id']}/inboxes")
        address = inboxes["items"][0]["url"].removeprefix(server.url)
        slow = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        slow.sendall(f"POST {address} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{{".encode())
        until(lambda: server.ask("GET", "/health")[0] == 200)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.events("stopping"))
        slow.sendall(b'"n": 123}')
        answer = slow.makefile("rb").readline()
        slow.close()
        assert b" 202 " in answer
        assert server.process.wait(60) == 0


def test_streams_do_not_hold_the_end_up(tmp_path: Path) -> None:
    with OwnServer("--data", str(tmp_path), *QUIET) as server:
        _, project = server.api("POST", "/projects", {"name": "clinic"})
        stream = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        stream.request("GET", f"/api/v1/projects/{project['id']}/events", headers={"authorization": f"Bearer {server.token}"})
        answer = stream.getresponse()
        assert server.stop() == 0
        assert b"retry: 2000" in answer.read()
        stream.close()


def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    with OwnServer("--data", str(tmp_path), *QUIET) as server:
        _, project = server.api("POST", "/projects", {"name": "clinic"})
        _, inboxes = server.api("GET", f"/projects/{project['id']}/inboxes")
        address = inboxes["items"][0]["url"].removeprefix(server.url)
        taken = [server.ask("POST", address, {"n": n})[1]["message_id"] for n in range(5)]
        token = server.token
        server.kill()
    with OwnServer("--data", str(tmp_path), *QUIET) as again:
        status, found = again.ask("GET", f"/api/v1/projects/{project['id']}/messages", headers={"authorization": f"Bearer {token}"})
        assert status == 200
        assert [item["id"] for item in found["items"]] == taken[::-1]


def test_settings_may_stand_in_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "kivuko.toml").write_text('log_format = "console"\nworker = false\n')
    with OwnServer("--data", str(tmp_path)) as server:
        until(lambda: server.logged)
        assert not server.logged[0].startswith("{")


def test_the_folder_may_be_named_by_a_variable(tmp_path: Path) -> None:
    with OwnServer(*QUIET, environment={"KIVUKO_DATA": str(tmp_path / "d")}):
        assert (tmp_path / "d" / "kivuko.db").exists()
