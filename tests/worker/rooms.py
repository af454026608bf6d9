"""A room for tests of the worker: records with a desk, workflows in memory, and real workers over links in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from kivuko.errors import LinkDown
from kivuko.platform.execution import Limits
from kivuko.platform.workflows.document import EdgeDocument, JobDocument, TriggerDocument, WorkflowDocument
from kivuko.records import Attempt, AttemptState, Cancel, Id, LogLine, Rules, Run, Started, new_id
from kivuko.records.database import Database
from kivuko.server.lanes.workers import local_conversation
from kivuko.worker import Worker, WorkerSettings, Workloop
from kivuko.worker.link import QUEUE, Link, OnChange, OnPush, Payload, Reply
from kivuko.worker.link_local import LocalLink
from server.lanes.workers.worlds import World

FN = "const fn = f => s => f(s);\n"
"""What jobs of these tests use in the place of an adaptor."""

Edge = tuple[str | None, str, str] | tuple[str | None, str, str, str]
"""From (None: the trigger), to, condition: a word or JavaScript; and what a failure edge hands on."""


def flow(jobs: Mapping[str, str | Mapping[str, Any]], *edges: Edge, **fields: Any) -> WorkflowDocument:
    """A workflow of jobs by name, as code or as fields of a JobDocument. Without edges, one leads to the only job."""
    trigger = TriggerDocument(new_id(), "message", enabled=True)
    made = {name: _job(name, job) for name, job in jobs.items()}
    chosen = edges or tuple((None, name, "always") for name in jobs)
    drawn = tuple(_edge(trigger, made, *edge) for edge in chosen)
    return WorkflowDocument(new_id(), new_id(), "Referrals", True, triggers=(trigger,), jobs=tuple(made.values()), edges=drawn, **fields)


def _job(name: str, job: str | Mapping[str, Any]) -> JobDocument:
    document = JobDocument(new_id(), name, "", None)
    return replace(document, expression=FN + job) if isinstance(job, str) else replace(document, **job)


def _edge(
    trigger: TriggerDocument, jobs: Mapping[str, JobDocument], source: str | None, target: str, word: str, failure_input: str | None = None
) -> EdgeDocument:
    is_word = word in ("always", "on_job_success", "on_job_failure")
    return EdgeDocument(
        new_id(),
        jobs[target].id,
        source_trigger_id=None if source else trigger.id,
        source_job_id=jobs[source].id if source else None,
        condition_type=word if is_word else "js_expression",
        condition_expression=None if is_word else word,
        failure_input=failure_input,
    )


class CutLink:
    """A link in memory whose connection a test can cut: then everything fails, and what was said may have arrived.

    With ``lease_s`` the server seems to say that leases are so long, and to want five heartbeats a second.
    """

    def __init__(self, connect: Callable[[Any], Any], lease_s: float | None = None) -> None:
        self._connect = connect
        self._lease_s = lease_s
        self._link: LocalLink | None = None
        self._on_push: OnPush | None = None
        self._on_change: OnChange | None = None
        self.before_push: Callable[[str, str, Payload], None] = lambda topic, event, payload: None
        self.said: list[tuple[str, str, Payload]] = []

    def push(self, topic: str, event: str, payload: Payload) -> Future[Reply]:
        """Says something, or fails at once when the connection is cut."""
        self.before_push(topic, event, payload)
        link = self._link
        if link is None:
            refused: Future[Reply] = Future()
            refused.set_exception(LinkDown())
            return refused
        self.said.append((topic, event, payload))
        answer = link.push(topic, event, payload)
        return self._with_lease(answer) if self._lease_s is not None and (topic, event) == (QUEUE, "phx_join") else answer

    def _with_lease(self, answer: Future[Reply]) -> Future[Reply]:
        changed: Future[Reply] = Future()

        def answered(done: Future[Reply]) -> None:
            reply = done.result()
            assert isinstance(reply.response, Mapping)
            changed.set_result(Reply(reply.status, {**reply.response, "lease_s": self._lease_s, "heartbeat_s": 0.2}))

        answer.add_done_callback(answered)
        return changed

    def listen(self, on_push: OnPush, on_change: OnChange) -> None:
        """Connects."""
        self._on_push, self._on_change = on_push, on_change
        self.mend()

    def close(self) -> None:
        """Ends the connection."""
        self.cut(tell=False)

    def cut(self, *, tell: bool = True) -> None:
        """Cuts the connection."""
        link, self._link = self._link, None
        if link is not None:
            link.close()
        if tell and self._on_change is not None:
            self._on_change(False)

    def mend(self) -> None:
        """Connects again."""
        assert self._on_push is not None
        assert self._on_change is not None
        self._link = LocalLink(self._connect)
        self._link.listen(self._on_push, lambda up: None)
        self._on_change(True)

    def events(self, topic_start: str = "run:") -> list[str]:
        """What was said on topics that begin so, in order."""
        return [event for topic, event, _ in self.said if topic.startswith(topic_start)]


class Room:
    """Workers on one database. ``world`` is what they work on."""

    def __init__(self, database: Database, folder: Path, *, rules: Rules | None = None, limits: Limits | None = None) -> None:
        self.world = World(database, rules, limits)
        self.folder = folder
        self.workers: list[Worker] = []

    def __enter__(self) -> Room:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for worker in self.workers:
            worker.stop(0)
        self.world.desk.close()
        self.world.records.close()

    def worker(self, *, name: str = "w", link: Link | None = None, slots: int = 2, start: bool = True, **settings: Any) -> Worker:
        """A worker that has begun to claim."""
        chosen = {"repo_dir": self.folder / "repo", "blank_hosts": 0, "most_hosts": 2, "install": False, "poll_s": (0.05, 0.2), **settings}
        worker = Worker(WorkerSettings(name=name, workloops=(Workloop(("manual", "*"), slots),), **chosen), link or self.link(name))
        self.workers.append(worker)
        if start:
            worker.start()
        return worker

    def link(self, name: str = "w", *, lease_s: float | None = None) -> CutLink:
        """A link of a worker of this name; leases are as long as the desk says, or ``lease_s``."""
        return CutLink(lambda push: local_conversation(self.world.desk, name, push), lease_s)

    def run(self, document: WorkflowDocument, body: object = None, **queueing: Any) -> Attempt:
        """Sends a message and waits for the end of its Attempt."""
        return self.ended(self.send(document, body, **queueing).attempt_id)

    def send(self, document: WorkflowDocument, body: object = None, **queueing: Any) -> Started:
        """Sends a message."""
        return self.world.send(document, orjson.dumps({"a": 1} if body is None else body), **queueing)

    def ended(self, attempt_id: Id, patience_s: float = 30) -> Attempt:
        """The Attempt, once it has ended."""
        self.until(lambda: self.world.attempt(attempt_id).state.finished, patience_s)
        return self.world.attempt(attempt_id)

    def until_state(self, attempt_id: Id, state: AttemptState) -> None:
        """Waits for a state."""
        self.until(lambda: self.world.attempt(attempt_id).state is state)

    def until(self, holds: Callable[[], object], patience_s: float = 30) -> None:
        """Waits until something holds."""
        deadline = time.monotonic() + patience_s
        while not holds():
            assert time.monotonic() < deadline, f"it did not come true within {patience_s} s"
            time.sleep(0.005)  # paced: polls with a deadline

    def until_logged(self, attempt_id: Id, text: str) -> None:
        """Waits for a line of the log."""
        self.until(lambda: any(text in line.message for line in self.lines(attempt_id)))

    def cancel(self, attempt_id: Id) -> None:
        """Somebody cancels."""
        self.world.do(Cancel(attempt_id))

    def runs(self, attempt: Attempt | Id, document: WorkflowDocument) -> dict[str, Run]:
        """The Runs of an Attempt by the names of their jobs (of several of one job the last)."""
        names = {job.id: job.name for job in document.jobs}
        return {names[run.job_id]: run for run in self.world.runs(attempt.id if isinstance(attempt, Attempt) else attempt)}

    def lines(self, attempt_id: Id) -> list[LogLine]:
        """Its log."""
        return self.world.lines(attempt_id)

    def said(self, attempt_id: Id, source: str = "JOB") -> list[str]:
        """What jobs printed."""
        return [line.message for line in self.lines(attempt_id) if line.source == source]

    def state(self, clip_id: Id | None) -> Any:
        """A stored state, None when there is none."""
        body = self.world.clip(clip_id)
        return None if body is None else orjson.loads(body)
