"""Jobs of a server that root runs are nobody's processes, or the log says why not."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from kivuko.engines.host_user import named_user
from kivuko.errors import InputError
from kivuko.server.datafolder import DataFolder
from kivuko.server.host_user import host_user
from own_platform import edge, job, trigger, workflow
from server.own_server import OwnServer, until
from systems.adaptor_repo import VERSIONS, adaptor_repo

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder where everybody can come by; pytest's own are closed."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made) / "data"


def users_of_hosts(pid: int) -> set[int]:
    """Who the hosts are that a process has started, directly or through others."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            try:
                words = Path(f"/proc/{child}/cmdline").read_bytes()
                uid = Path(f"/proc/{child}/status").read_text().partition("\nUid:")[2].split()[1]
            except FileNotFoundError:
                continue  # it has ended meanwhile
            if b"host.js" in words:
                found.add(int(uid))
            found |= users_of_hosts(int(child))
    return found


def finished(server: OwnServer, project: str) -> list[str]:
    """States of the project's Runs that have ended."""
    _, runs = server.api("GET", f"/projects/{project}/runs")
    return [run["state"] for run in runs["items"] if run["state"] not in ("queued", "claimed", "started")]


def executed(server: OwnServer) -> list[str]:
    """How the Run of a workflow with an adaptor's job has ended."""
    _, project = server.api("POST", "/projects", {"name": "clinic"})
    _, inboxes = server.api("GET", f"/projects/{project['id']}/inboxes")
    begins, works = trigger("message", inbox_id=inboxes["items"][0]["id"]), job("Plain", adaptor=f"common@{VERSIONS['common']}")
    status, made = server.api("POST", f"/projects/{project['id']}/workflows", workflow("Plain", [begins], [works], [edge(begins, works)]))
    assert status == 201, made
    assert server.ask("POST", inboxes["items"][0]["url"].removeprefix(server.url), {"n": 1})[0] == 202
    until(lambda: finished(server, project["id"]) != [], 300)
    return finished(server, project["id"])


def test_a_job_is_executed_by_nobody_and_the_servers_files_stay_closed(data: Path) -> None:
    with OwnServer("--data", str(data), environment={"KIVUKO_ADAPTORS": str(adaptor_repo("common"))}) as server:
        assert executed(server) == ["success"]
        assert users_of_hosts(server.process.pid) == {named_user("nobody")[0]}
        assert not any("jobs run as root" in line for line in server.logged)
        assert data.stat().st_mode & 0o777 == 0o700
        assert server.stop() == 0


@pytest.mark.network
@pytest.mark.slow
def test_nobody_reads_what_the_server_installs_and_none_of_its_other_files(data: Path) -> None:
    with OwnServer("--data", str(data)) as server:
        assert executed(server) == ["success"]
        assert users_of_hosts(server.process.pid) == {named_user("nobody")[0]}
        assert data.stat().st_mode & 0o777 == 0o710
        for entry in data.iterdir():
            if entry.name != "adaptors":
                assert entry.stat().st_mode & 0o077 == 0, entry
        assert server.stop() == 0


def test_where_it_is_impossible_the_log_says_so_once_and_jobs_run(tmp_path: Path) -> None:
    tmp_path.parent.chmod(0o700)
    with OwnServer("--data", str(tmp_path / "data")) as server:
        until(lambda: users_of_hosts(server.process.pid) == {0}, 60)
        (line,) = server.events("jobs run as root, for they cannot run as another user")
        assert "EACCES" in line["reason"]
        assert server.stop() == 0


def test_a_chosen_user_who_cannot_do_it_is_refused(tmp_path: Path) -> None:
    tmp_path.parent.chmod(0o700)
    folder = DataFolder.open(tmp_path / "data")
    with pytest.raises(InputError, match=r"jobs cannot run as the user '1234:1234' of KIVUKO_HOST_USER: .*EACCES"):
        host_user("1234:1234", folder.adaptors, folder)


def test_an_unknown_user_is_refused_and_none_at_all_is_root(data: Path) -> None:
    folder = DataFolder.open(data)
    with pytest.raises(InputError, match="'no-such-user-here' of KIVUKO_HOST_USER: there is no user 'no-such-user-here' on this machine"):
        host_user("no-such-user-here", folder.adaptors, folder)
    assert host_user("", folder.adaptors, folder) is None
    assert data.stat().st_mode & 0o777 == 0o700


def test_a_machine_without_nobody_is_told_of(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> tuple[int, int]:
        raise InputError(f"there is no user {name!r} on this machine")

    monkeypatch.setattr("kivuko.server.host_user.named_user", unknown)
    folder = DataFolder.open(data)
    with capture_logs() as logged:
        assert host_user("nobody", folder.adaptors, folder) is None
    assert [entry["reason"] for entry in logged] == ["there is no user 'nobody' on this machine"]


def test_a_folder_of_adaptors_elsewhere_is_opened_and_the_data_folder_stays_closed(data: Path) -> None:
    folder = DataFolder.open(data)
    elsewhere = data.parent / "adaptors"
    assert host_user("1234:1234", elsewhere, folder) == (1234, 1234)
    assert data.stat().st_mode & 0o777 == 0o700


def test_whatever_lay_open_in_the_data_folder_is_closed_before_somebody_may_pass(data: Path) -> None:
    folder = DataFolder.open(data)
    (data / "kivuko.db").write_text("")
    (data / "kivuko.db").chmod(0o644)
    (data / "link").symlink_to("/etc/passwd")
    passwd = Path("/etc/passwd").stat().st_mode
    folder.let_through(1234)
    assert ((data / "kivuko.db").stat().st_mode & 0o777, Path("/etc/passwd").stat().st_mode) == (0o600, passwd)
    assert (data.stat().st_mode & 0o777, data.stat().st_gid) == (0o710, 1234)
    (data / "kivuko.toml").write_text("")
    (data / "kivuko.toml").chmod(0o644)
    folder.let_through(1234)
    assert (data / "kivuko.toml").stat().st_mode & 0o777 == 0o600


def test_a_data_folder_that_is_open_already_stays_as_it_is(data: Path) -> None:
    folder = DataFolder.open(data)
    data.chmod(0o755)
    (data / "notes").write_text("")
    (data / "notes").chmod(0o644)
    folder.let_through(1234)
    assert (data.stat().st_mode & 0o777, (data / "notes").stat().st_mode & 0o777) == (0o755, 0o644)
