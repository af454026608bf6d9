"""Kivuko as the demo uses it: the server's process, its REST API, and the project of the clinic."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from demo.installed import REPO

__all__ = ["ADMINISTRATOR", "Api", "Platform", "Refused", "set_up", "until"]

ADMINISTRATOR = "amina@clinic.example"
JOBS = Path(__file__).parent / "jobs"
HTTP = "@openfn/language-http@7.2.10"
_READY_S = 60
_SERVES = re.compile(r"serves (http://\S+)")


class Refused(Exception):
    """The API answers with a problem; ``status`` is HTTP's, ``problem`` the JSON."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')}")
        self.status, self.problem = status, problem


class Api:
    """The REST API under ``/api/v1``, with a token."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def get(self, path: str) -> Any:
        """The JSON at a path. Raises Refused."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: Mapping[str, object]) -> Any:
        """The JSON of the answer. Raises Refused."""
        return self._ask("POST", path, json.dumps(body).encode())

    def _ask(self, method: str, path: str, body: bytes | None) -> Any:
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/v1{path}", body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as problem:
            with problem:
                raise Refused(problem.code, json.load(problem)) from None


class Platform:
    """A ``kivuko serve`` with a data folder of its own, up inside ``with``. Raises RuntimeError when it does not start."""

    def __init__(self, kivuko: str, folder: Path, *, port: int, mail_url: str) -> None:
        self.command = [kivuko, "serve", "--data", str(folder), "--port", str(port)]
        self._token = f"kvk_{secrets.token_urlsafe(32)}"
        self._log = folder / "serve.log"
        self._environment = {
            **os.environ,
            "KIVUKO_ADMIN_EMAIL": ADMINISTRATOR,
            "KIVUKO_ADMIN_PASSWORD": secrets.token_urlsafe(12),
            "KIVUKO_ADMIN_TOKEN": self._token,
            "KIVUKO_ADAPTORS": str(REPO),
            "KIVUKO_MAIL_URL": mail_url,
        }
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self.command, stdout=log, stderr=log, env=self._environment, start_new_session=True)
        try:
            self.api = Api(self._address(), self._token)
        except RuntimeError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.wait()

    def wait(self) -> None:
        """Until the server ends by itself."""
        self._process.wait()

    def _address(self) -> str:
        until = time.monotonic() + _READY_S
        while time.monotonic() < until and self._process.poll() is None:
            said = self._log.read_text(encoding="utf-8")
            if found := _SERVES.search(said):
                return found[1]
            time.sleep(0.05)
        raise RuntimeError(self._log.read_text(encoding="utf-8"))


def set_up(api: Api, records_url: str, username: str, password: str) -> tuple[str, str]:
    """The clinic's project with a credential and two workflows of one job each: its id, and the address of its inbox. Raises Refused."""
    project = api.post("/projects", {"name": "clinic-demo", "timezone": "Africa/Freetown"})["id"]
    inbox = api.get(f"/projects/{project}/inboxes")["items"][0]
    credential = api.post(
        f"/projects/{project}/credentials",
        {"name": "Records system", "schema": "http", "body": {"baseUrl": records_url, "username": username, "password": password}},
    )["id"]
    registration = {"kind": "message", "inbox_id": inbox["id"], "inclusion": {"form": {"@name": "Registration"}}}
    every_friday = {"kind": "cron", "cron_expression": "0 23 * * FRI"}
    for name, job, file, trigger in (
        ("Registrations", "Register patient", "register.js", registration),
        ("Reporting", "Weekly report", "report.js", every_friday),
    ):
        api.post(f"/projects/{project}/workflows", _workflow(name, job, (JOBS / file).read_text(encoding="utf-8"), credential, trigger))
    return project, inbox["url"]


def _workflow(name: str, job_name: str, expression: str, credential: str, trigger: Mapping[str, object]) -> dict[str, object]:
    trigger_id, job_id = str(uuid.uuid4()), str(uuid.uuid4())
    job = {"id": job_id, "name": job_name, "adaptor": HTTP, "expression": expression, "credential_id": credential}
    edge = {"id": str(uuid.uuid4()), "source_trigger_id": trigger_id, "target_job_id": job_id, "condition_type": "always"}
    return {"name": name, "enabled": True, "triggers": [{"id": trigger_id, "enabled": True, **trigger}], "jobs": [job], "edges": [edge]}


def until(done: Callable[[], bool], seconds: float) -> bool:
    """Whether something came true in time."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
