"""A small world for tests of the API: a project with an inbox, somebody who asks, a worker that is played."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.test import Client

from kivuko.platform.accounts.actors import Actor
from kivuko.platform.accounts.models import Membership
from kivuko.platform.accounts.tokens import new_token
from kivuko.platform.api.context import Platform, use
from kivuko.platform.projects.models import Project
from kivuko.records import (
    Claim,
    Claimed,
    Dataclip,
    DataclipKind,
    EndAttempt,
    EndRun,
    ExitReason,
    Id,
    Line,
    LogLevel,
    Needs,
    Records,
    Register,
    StartAttempt,
    StartRun,
    Worker,
    WriteLogs,
    new_id,
    read_attempt,
)
from own_platform import Place, edge, job, trigger, workflow

__all__ = ["Answer", "Caller", "World", "open_world"]

NOTHING: Any = object()


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its JSON value."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a problem, which must be one."""
        assert self.headers["Content-Type"] == "application/problem+json", self.body
        return str(self.json["code"])


class Caller:
    """Somebody with a token; without one, nobody."""

    def __init__(self, token: str | None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = Client(SERVER_NAME="localhost", headers=headers)

    def ask(self, method: str, path: str, body: Any = NOTHING, headers: Mapping[str, str] | None = None) -> Answer:
        """Sends a request; ``body`` as JSON, or bytes as they are."""
        data = body if isinstance(body, bytes) else b"" if body is NOTHING else json.dumps(body).encode()
        given = {"Content-Type": "application/json", **(headers or {})} if data else dict(headers or {})
        answer = self._client.generic(method, f"/api/v1/{path}", data, given.pop("Content-Type", ""), headers=given)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return Answer(answer.status_code, dict(answer.headers), content)

    def get(self, path: str, **headers: str) -> Any:
        """The JSON of an answer that must be 200."""
        answer = self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        assert answer.status == 200, answer.body
        return answer.json

    def post(self, path: str, body: Any = NOTHING) -> Any:
        """The JSON of an answer that must be 200 to 202."""
        answer = self.ask("POST", path, body)
        assert 200 <= answer.status <= 202, answer.body
        return answer.json


class World:
    """A project ``clinic`` and its owner, who asks by ``api``; ``records`` are under it."""

    def __init__(self, place: Place, records: Records) -> None:
        self.place, self.records = place, records
        self.project: Project = place.project("clinic")
        self.api = self.caller(place.admin)
        self.id = str(self.project.id)
        self.worker = Worker(new_id(), "worker-1", "1", Needs.JAVASCRIPT | Needs.FRONTIER, 0, 4, 4, 0)
        records.submit(Register(self.worker)).result(20)

    def caller(self, actor: Actor) -> Caller:
        """Somebody with a new token."""
        assert actor.user_id is not None
        return Caller(new_token(actor.user_id, "test", actor=actor).text)

    def member(self, role: str, email: str) -> Caller:
        """Somebody with a role in the project."""
        actor = self.place.user(email)
        Membership.objects.create(project=self.project, user_id=actor.user_id, role=role)
        return self.caller(actor)

    def stranger(self) -> Caller:
        """Somebody who owns another project."""
        return self.caller(self.place.user("stranger@example.org"))

    @property
    def inbox(self) -> dict[str, Any]:
        """The project's first inbox."""
        found: dict[str, Any] = self.api.get(f"projects/{self.id}/inboxes")["items"][-1]
        return found

    def workflow(self, name: str = "Referral", inclusion: object = None, **values: object) -> dict[str, Any]:
        """A saved workflow with a message trigger and one job of its name."""
        begins = trigger("message", inbox_id=self.inbox["id"], inclusion=inclusion)
        works = job(name)
        made: dict[str, Any] = self.api.post(
            f"projects/{self.id}/workflows", workflow(name, [begins], [works], [edge(begins, works)], **values)
        )
        return made

    def message(self, body: object) -> dict[str, Any]:
        """A message posted by hand."""
        made: dict[str, Any] = self.api.post(f"projects/{self.id}/messages", {"inbox_id": self.inbox["id"], "body": body})
        return made

    def claim(self) -> list[Claimed]:
        """What the worker gets."""
        return self.records.submit(Claim(self.worker.id, demand=50)).result(20)

    def work(
        self,
        fails: Sequence[str] = (),
        error: Mapping[str, object] | None = None,
        lines: Sequence[str] = (),
        output: bytes = b'{"data":{"done":true}}',
    ) -> int:
        """Plays a worker until nothing waits: jobs with an id in ``fails`` fail. How many Attempts it carried out."""
        done = 0
        while claimed := self.claim():
            for held in claimed:
                self._carry_out(held, fails, error, lines, output)
                done += 1
        return done

    def later(self, seconds: int = 11) -> None:
        """As if the last starts had been earlier: the 10-second rule looks at the database's clock, which tests cannot move."""
        connection = self.records.database.connect()
        connection.begin()
        connection.query("UPDATE start_guard SET last_at = last_at - ?", seconds * 1_000_000)
        connection.commit()
        connection.close()

    def _carry_out(
        self, held: Claimed, fails: Sequence[str], error: Mapping[str, object] | None, lines: Sequence[str], output: bytes
    ) -> None:
        def do(intent: Any) -> Any:
            return self.records.submit(intent).result(20)

        with self.records.reading() as connection:
            runs = read_attempt(connection, held.attempt_id).frontier
        do(StartAttempt(held.attempt_id, held.claim_number))
        reason = ExitReason.SUCCESS
        for run in runs:
            do(StartRun(held.attempt_id, held.claim_number, run.id, run.job_id, adaptor="@openfn/language-common@3.0.0"))
            for text in lines:
                self.write_line(held, run.id, text)
            failed = str(run.job_id) in fails
            reason = ExitReason.FAIL if failed else reason
            about = json.dumps(error or {"name": "JobError", "message": "it broke", "line": 3}).encode() if failed else None
            clip = None if failed else self._clip(held.attempt_id, output)
            ended = EndRun(
                held.attempt_id, held.claim_number, run.id, run.job_id, ExitReason.FAIL if failed else ExitReason.SUCCESS,
                error_type="JobError" if failed else None, error=about, output=clip,
            )  # fmt: skip
            do(ended)
        do(EndAttempt(held.attempt_id, held.claim_number, reason, "JobError" if reason is ExitReason.FAIL else None))

    def write_line(self, held: Claimed, run_id: Id, text: str, level: LogLevel = LogLevel.INFO) -> None:
        """One more line of a log."""
        line = Line(text, 1_795_000_000_000_000, level, "JOB", run_id)
        self.records.submit(WriteLogs(held.attempt_id, held.claim_number, (line,))).result(20)

    def _clip(self, attempt_id: Id, body: bytes) -> Dataclip:
        clip_id = new_id()
        stored = self.records.payloads.store(clip_id, body)
        return Dataclip(
            clip_id,
            self.project.id,
            DataclipKind.RUN_OUTPUT,
            attempt_id,
            None,
            stored.encoding,
            stored.body,
            stored.object_key,
            stored.size_bytes,
        )


def open_world(place: Place, records: Records) -> World:
    """The world, with the API over it."""
    use(Platform(records, "https://kivuko.example.org"))
    return World(place, records)
