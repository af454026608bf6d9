"""A server as people start it: ``kivuko serve`` in a process of its own, and its REST API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from records.own_postgresql import OwnServer as Postgresql

__all__ = ["COMMON", "TOKEN", "Answer", "OwnServer", "Problem", "database_url", "eventually", "job_workflow"]

TOKEN = "kvk_" + "journey-" * 6
COMMON = "@openfn/language-common@3.3.4"


class Problem(Exception):
    """The API refuses: HTTP status and the problem document."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        super().__init__(f"{status}: {document}")
        self.status, self.document = status, document


@dataclass(frozen=True)
class Answer:
    """An answer as it came, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's value. Raises ValueError when it is no JSON."""
        return json.loads(self.body)


class OwnServer:
    """The process, up inside ``with``; ``settings`` are environment variables."""

    def __init__(self, folder: Path, adaptors: Path, **settings: str) -> None:
        self.data = folder / "data"
        self.database_url = settings.get("DATABASE_URL", "")
        self._log = folder / "serve.log"
        self._command = [sys.executable, "-m", "kivuko.cli", "serve", "--data", str(folder / "data"), "--port", "0"]
        self._environment = {
            **os.environ,
            "KIVUKO_ADMIN_TOKEN": TOKEN,
            "KIVUKO_ADMIN_EMAIL": "amina@clinic.example",
            "KIVUKO_ADAPTORS": str(adaptors),
            **settings,
        }
        self.url = ""

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=self._environment)
        try:
            self.url = eventually(self._address, 60)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.wait(60)

    @property
    def asking(self) -> dict[str, str]:
        """Headers of a request to the API, for ``ask``."""
        return {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}

    @property
    def log(self) -> str:
        """All that the process has written so far."""
        return self._log.read_text(encoding="utf-8")

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self._process.kill()
        self._process.wait(60)

    def start_again(self) -> None:
        """Starts it on the same data after its end. Its address is another afterwards."""
        self._log = self._log.with_name(f"again-{self._log.name}")
        self.__enter__()

    def stop(self) -> None:
        """Ends it as an operator would."""
        self.__exit__()

    def ask(self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        """What an address answers to a request that is sent as it is; a path is one of this server's."""
        whole = url if url.startswith("http") else self.url + url
        request = urllib.request.Request(whole, body, dict(headers or {}), method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Answer(refusal.code, refusal.headers, refusal.read())

    def get(self, path: str) -> Any:
        """The JSON at a path of the API. Raises Problem."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: Mapping[str, object]) -> Any:
        """The JSON of the answer. Raises Problem."""
        return self._ask("POST", path, body)

    def put(self, path: str, body: Mapping[str, object]) -> Any:
        """The JSON of the answer. Raises Problem."""
        return self._ask("PUT", path, body)

    def patch(self, path: str, body: Mapping[str, object]) -> Any:
        """The JSON of the answer. Raises Problem."""
        return self._ask("PATCH", path, body)

    def delete(self, path: str) -> None:
        """Raises Problem."""
        answer = self.ask("DELETE", f"/api/v1{path}", headers={"authorization": f"Bearer {TOKEN}"})
        if answer.status != 204:
            raise Problem(answer.status, answer.json)

    def all(self, path: str) -> Iterator[dict[str, Any]]:
        """Every item of a list, page after page."""
        mark = "&" if "?" in path else "?"
        page = self.get(f"{path}{mark}limit=200")
        yield from page["items"]
        while page["next_cursor"]:
            page = self.get(f"{path}{mark}limit=200&cursor={page['next_cursor']}")
            yield from page["items"]

    def project(self, name: str) -> tuple[str, dict[str, Any]]:
        """A new project: its id and its inbox."""
        project = self.post("/projects", {"name": name})["id"]
        return project, self.get(f"/projects/{project}/inboxes")["items"][0]

    def send(self, url: str, body: object) -> dict[str, Any]:
        """What an inbox answers to a sender. Raises Problem."""
        return _opened(urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"}))

    def job_states(self, message_id: str) -> list[str]:
        """The job-states of a message in the words of the seeds, once no run is under way."""

        def settled() -> list[dict[str, Any]]:
            states: list[dict[str, Any]] = self.get(f"/messages/{message_id}")["job_states"]
            return states if states and all(each["state"] != "in progress" for each in states) else []

        return [f"{each['job_name']} ({each['state']} - run {each['run_number']})" for each in eventually(settled, 90)]

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None) -> Any:
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        return _opened(urllib.request.Request(f"{self.url}/api/v1{path}", data, headers, method=method))

    def _address(self) -> str:
        said = self.log
        assert self._process.poll() is None, said
        return next((word for line in said.splitlines() if "serves http" in line for word in line.split() if word.startswith("http")), "")


def _opened(request: urllib.request.Request) -> Any:
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        with refusal:
            raise Problem(refusal.code, json.load(refusal)) from None


def database_url(postgresql: Postgresql) -> str:
    """``DATABASE_URL`` of a PostgreSQL that a test has started."""
    words = dict(word.split("=", 1) for word in postgresql.address.split())
    return f"postgresql://{words['user']}@/{words['dbname']}?host={words['host']}"


def job_workflow(name: str, expression: str, trigger: Mapping[str, object], **job: object) -> dict[str, Any]:
    """A workflow of one job behind one trigger, as api.md has it."""
    trigger_id, job_id = str(uuid.uuid4()), str(uuid.uuid4())
    return {
        "name": name,
        "enabled": True,
        "triggers": [{"id": trigger_id, "enabled": True, **trigger}],
        "jobs": [{"id": job_id, "name": name, "adaptor": COMMON, "expression": expression, **job}],
        "edges": [{"id": str(uuid.uuid4()), "source_trigger_id": trigger_id, "target_job_id": job_id, "condition_type": "always"}],
    }


def eventually(found: Callable[[], Any], seconds: float) -> Any:
    """What a question gives as soon as it gives something. Raises AssertionError when it does not in time."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, f"nothing came in {seconds} s"
        time.sleep(0.05)  # paced: polls with a deadline
    return value
