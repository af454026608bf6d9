"""A place of Kivuko's to be shaken: data folder, database, server, a project with an inbox and two jobs behind it."""

from __future__ import annotations

import http.client
import json
import secrets
import shutil
import socket
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos.patience import Impatient, wait_until
from chaos.program import Program
from kivuko.records import Id, database_at, new_id
from kivuko.records.database import Database
from records.own_postgresql import OwnServer, own_postgresql
from systems.adaptor_repo import VERSIONS, adaptor_repo

__all__ = ["Place", "a_place"]

_START_WITHIN_S = 90


@dataclass
class Place:
    """Everything of one scenario. ``settings`` are variables of the server; processes made here end with the place."""

    folder: Path
    postgresql: OwnServer | None
    host: str
    data: Path
    settings: Mapping[str, str]
    inbox_url: str = ""
    inbox_id: str = ""
    project_id: str = ""
    job_names: dict[Id, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.repo = adaptor_repo("http")
        self.port = _free_port(self.host)
        self.token = "kvk_" + secrets.token_hex(20)
        self.worker_secret = secrets.token_urlsafe(48)
        self.url = f"http://{self.host}:{self.port}"
        self._programs: list[Program] = []
        self.server = self._program("server", self._serve_arguments(), {**self._server_variables(), **self.settings})

    @property
    def database(self) -> Database:
        """The database, for counting."""
        return database_at(self.database_url, self.data)

    @property
    def database_url(self) -> str:
        """Its address; empty for the SQLite file of the data folder."""
        if self.postgresql is None:
            return ""
        words = dict(word.split("=", 1) for word in self.postgresql.address.split())
        return f"postgresql://{words['user']}@/{words['dbname']}?host={words['host']}"

    def worker(
        self, name: str, *, slots: int = 3, url: str | None = None, prefix: Sequence[str] = (), settings: Mapping[str, str] | None = None
    ) -> Program:
        """A worker process, not started yet."""
        variables = {
            "WORKER_SECRET": self.worker_secret,
            "WORKER_REPO_DIR": str(self.repo),
            "WORKER_LOG_LEVEL": "warning",
            **(settings or {}),
        }
        arguments = ["worker", url or self.url, "--name", name, "--capacity", str(slots)]
        return self._program(name, arguments, {**variables, **(settings or {})}, prefix)

    def start_server(self) -> None:
        """Starts the server and waits until it is ready. Raises Impatient."""
        self.server.start()
        self.wait_for_server()

    def wait_for_server(self) -> None:
        """Waits until the server says that it is ready. Raises Impatient."""
        try:
            wait_until(lambda: self.is_ready() or not self.server.alive, "the server is not ready", _START_WITHIN_S)
        except Impatient as impatient:
            raise Impatient(f"{impatient}\n{self.server.last_words()}") from None
        if not self.server.alive:
            raise Impatient(f"the server has ended:\n{self.server.last_words()}")

    def is_ready(self) -> bool:
        """Whether ``/ready`` says so."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=5)
        try:
            connection.request("GET", "/ready")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def set_up_project(self, target_url: str) -> None:
        """A project whose inbox starts two jobs, one after the other, by messages with ``works``."""
        self.new_project()
        trigger, first, second = (str(new_id()) for _ in range(3))
        workflow = {
            "name": "Two effects",
            "enabled": True,
            "triggers": [{"id": trigger, "kind": "message", "enabled": True, "inbox_id": self.inbox_id, "inclusion": {"works": True}}],
            "jobs": [_job(first, "first", target_url), _job(second, "second", target_url)],
            "edges": [
                {"id": str(new_id()), "source_trigger_id": trigger, "target_job_id": first, "condition_type": "always"},
                {"id": str(new_id()), "source_job_id": first, "target_job_id": second, "condition_type": "on_job_success"},
            ],
        }
        self.call("POST", f"/api/v1/projects/{self.project_id}/workflows", workflow)
        self.job_names = {Id.parse(job): name for job, name in ((first, "first"), (second, "second"))}

    def new_project(self) -> None:
        """An empty project and its inbox: the place's from now on."""
        project = self.call("POST", "/api/v1/projects", {"name": "chaos"})
        (inbox,) = self.call("GET", f"/api/v1/projects/{project['id']}/inboxes")["items"]
        self.project_id, self.inbox_id, self.inbox_url = project["id"], inbox["id"], inbox["url"]

    def call(self, method: str, path: str, content: object = None) -> dict[str, Any]:
        """Calls the API as the administrator; the answer. Raises RuntimeError with what was refused."""
        request = urllib.request.Request(self.url + path, None if content is None else json.dumps(content).encode(), method=method)
        request.add_header("authorization", f"Bearer {self.token}")
        request.add_header("content-type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                found: dict[str, Any] = json.loads(answer.read() or b"{}")
                return found
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def close(self) -> None:
        """Ends all processes."""
        for program in self._programs:
            program.close()

    def _program(self, name: str, arguments: Sequence[str], variables: Mapping[str, str], prefix: Sequence[str] = ()) -> Program:
        program = Program(name, arguments, variables, self.folder / f"{name}.log", prefix)
        self._programs.append(program)
        return program

    def _serve_arguments(self) -> list[str]:
        return ["serve", "--data", str(self.data), "--host", self.host, "--port", str(self.port)]

    def _server_variables(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.database_url,
            "KIVUKO_ADMIN_EMAIL": "chaos@example.org",
            "KIVUKO_ADMIN_PASSWORD": secrets.token_urlsafe(16),
            "KIVUKO_ADMIN_TOKEN": self.token,
            "KIVUKO_ADAPTORS": str(self.repo),
            "WORKER_SECRET": self.worker_secret,
            "KIVUKO_LOG_LEVEL": "warning",
        }


@contextmanager
def a_place(
    kind: str,
    *,
    host: str = "127.0.0.1",
    settings: Mapping[str, str] | None = None,
    data: Path | None = None,
    postgresql: str = "-c fsync=off -c shared_buffers=64MB",
) -> Iterator[Place]:
    """A place on ``sqlite`` or ``postgresql``; all of it is gone afterwards. ``data`` is a folder made elsewhere (a small disk).

    Only a machine that loses its power needs ``fsync``: processes that are killed do not.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kivuko-chaos-", ignore_cleanup_errors=True)))
        server = stack.enter_context(own_postgresql(postgresql)) if kind == "postgresql" else None
        place = Place(folder, server, host, data or folder / "data", settings or {})
        stack.callback(place.close)
        try:
            yield place
        except BaseException:
            _keep_logs(folder)
            raise


def _job(job_id: str, name: str, target_url: str) -> dict[str, object]:
    expression = (
        f"fn(state => ({{ ...state, number: state.data.number ?? state.number }}));\n"
        f"post('{target_url}/effects', state => ({{ job: '{name}', number: state.number }}));\n"
        f"fn(state => ({{ number: state.number, data: {{}} }}));\n"
    )
    return {
        "id": job_id,
        "name": name,
        "language": "javascript",
        "adaptor": f"@openfn/language-http@{VERSIONS['http']}",
        "expression": expression,
    }


def _keep_logs(folder: Path) -> None:
    kept = Path(tempfile.mkdtemp(prefix="kivuko-chaos-failed-"))
    for log in folder.glob("*.log"):
        shutil.copy(log, kept)
    print(f"The logs of the processes are in {kept}")


def _free_port(host: str) -> int:
    with socket.socket() as listening:
        listening.bind((host, 0))
        port: int = listening.getsockname()[1]
        return port
