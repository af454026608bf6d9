"""A project as the clock sees it: workflows that people save, Attempts that a worker ends, and a clock that is set by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, TypeVar

from kivuko.platform.accounts.actors import SYSTEM
from kivuko.platform.accounts.models import Membership, User
from kivuko.platform.projects.models import Project
from kivuko.platform.rules import PlatformRules
from kivuko.platform.settings import records_database
from kivuko.platform.workflows.document import WorkflowDocument
from kivuko.platform.workflows.reading import read_document
from kivuko.platform.workflows.saving import save_workflow
from kivuko.records import (
    Cancel,
    Cause,
    Claim,
    Claimed,
    Dataclip,
    DataclipKind,
    EndAttempt,
    EndRun,
    ExitReason,
    Follow,
    Id,
    Intent,
    Line,
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
from kivuko.records.database import Connection
from kivuko.records.tables import table_of

R = TypeVar("R")

JSON = Mapping[str, Any]


@dataclass
class Parts:
    """A saved workflow and the ids of its parts."""

    document: WorkflowDocument
    snapshot_id: Id
    jobs: tuple[Id, ...] = field(default=())
    triggers: tuple[Id, ...] = field(default=())


class World:
    """One project with an owner. ``now`` is the clock of what is tested; it moves by ``after``."""

    def __init__(self) -> None:
        self.owner = User.objects.create(email="owner@kivuko.example", name="Olive")
        self.project = Project.objects.create(name="clinic")
        self.project_id: Id = self.project.id
        Membership.objects.create(project=self.project, user=self.owner, role="owner")
        self.rules = PlatformRules()
        self.records = Records(records_database(), rules=self.rules)
        self.reader: Connection = self.records.database.connect_to_read()
        # Further ahead than any test: what the records' own clock forgets is not forgotten here.
        self.now = datetime(2027, 1, 1, tzinfo=UTC)

    def __enter__(self) -> World:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.rules.close()
        self.reader.close()
        self.records.close()

    @property
    def now_us(self) -> int:
        """The clock in µs."""
        return int(self.now.timestamp()) * 1_000_000 + self.now.microsecond

    def after(self, **time: float) -> None:
        """Time passes."""
        self.now += timedelta(**time)

    def do(self, intent: Intent[R]) -> R:
        """Submits and waits."""
        return self.records.submit(intent).result(20)

    def rows(self, row: type[R]) -> list[R]:
        """All rows of a hot table, in key order."""
        table = table_of(row)
        names = ", ".join(column.name for column in table.columns)
        return [table.load(found) for found in self.reader.query(f"SELECT {names} FROM {table.name} ORDER BY {', '.join(table.key)}")]

    def member(self, email: str, role: str) -> User:
        """Another member."""
        user = User.objects.create(email=email, name=email.partition("@")[0])
        Membership.objects.create(project=self.project, user=user, role=role)
        return user

    def save(
        self,
        trigger: JSON,
        jobs: Sequence[JSON] = ({},),
        *,
        name: str = "Referrals",
        like: Parts | None = None,
        enabled: bool = True,
        edges: Sequence[tuple[int, int, str]] = (),
    ) -> Parts:
        """Saves a workflow: the trigger leads to every job that no edge (from job, to job, condition) leads to. ``like`` keeps the ids."""
        job_ids = like.jobs if like else tuple(new_id() for _ in jobs)
        trigger_id = like.triggers[0] if like else new_id()
        reached = {target for _, target, _ in edges}
        ways = [(trigger_id, None, at, "always") for at in range(len(jobs)) if at not in reached]
        ways += [(None, job_ids[source], target, condition) for source, target, condition in edges]
        mapping = {
            "id": str(like.document.id if like else new_id()),
            "name": name,
            "enabled": enabled,
            "triggers": [{"id": str(trigger_id), "enabled": True, **trigger}],
            "jobs": [
                {
                    "id": str(job_id),
                    "name": f"Job {at}",
                    "expression": "fn(state => state)",
                    "adaptor": "@openfn/language-common@latest",
                    **job,
                }
                for at, (job_id, job) in enumerate(zip(job_ids, jobs, strict=True))
            ],
            "edges": [
                {
                    "id": str(new_id()),
                    "source_trigger_id": str(source_trigger) if source_trigger else None,
                    "source_job_id": str(source_job) if source_job else None,
                    "target_job_id": str(job_ids[target]),
                    "condition_type": condition,
                }
                for source_trigger, source_job, target, condition in ways
            ],
        }
        document = read_document(mapping, project_id=self.project_id)
        saved = save_workflow(self.project, document, author=SYSTEM)
        return Parts(saved.current.document, saved.snapshot_id, job_ids, (trigger_id,))

    def claim(self) -> Hand | None:
        """A worker takes the next Attempt that waits."""
        worker = Worker(new_id(), "w", "1", Needs.JAVASCRIPT | Needs.FRONTIER, 0, 1, 1, self.now_us)
        self.do(Register(worker))
        claimed = self.do(Claim(worker.id))
        return Hand(self, claimed[0]) if claimed else None

    def work(self, **end: Any) -> list[Id]:
        """A worker does all that waits; the Attempts."""
        done = []
        while hand := self.claim():
            hand.finish(**end)
            done.append(hand.attempt_id)
        return done


class Hand:
    """A worker's hand on one Attempt."""

    def __init__(self, world: World, held: Claimed) -> None:
        self.world, self.attempt_id, self.number = world, held.attempt_id, held.claim_number
        world.do(StartAttempt(self.attempt_id, self.number))

    def clip(self, value: object, kind: DataclipKind = DataclipKind.RUN_OUTPUT) -> Dataclip:
        """A dataclip to be stored."""
        clip_id = new_id()
        stored = self.world.records.payloads.store(clip_id, json.dumps(value).encode())
        project = self.world.project_id
        return Dataclip(clip_id, project, kind, self.attempt_id, None, stored.encoding, stored.body, None, stored.size_bytes)

    def finish(
        self,
        reason: ExitReason = ExitReason.SUCCESS,
        *,
        error_type: str | None = None,
        error: JSON | None = None,
        output: object = None,
        log: Sequence[str] = (),
    ) -> None:
        """Runs every Run that waits, all with this end, and ends the Attempt."""
        world = self.world
        final: Id | None = None
        for run in read_attempt(world.reader, self.attempt_id).frontier:
            world.do(StartRun(self.attempt_id, self.number, run.id, run.job_id))
            if log:
                lines = tuple(Line(text, world.now_us, run_id=run.id, source="R/T") for text in log)
                world.do(WriteLogs(self.attempt_id, self.number, lines, first_seq=1))
            clip = self.clip(output) if output is not None else None
            final = clip.id if clip else None
            told = json.dumps(error).encode() if error else None
            world.do(EndRun(self.attempt_id, self.number, run.id, run.job_id, reason, error_type=error_type, error=told, output=clip))
        world.do(EndAttempt(self.attempt_id, self.number, reason, error_type, final_dataclip_id=final))

    def fail_with_edge(self, caught_by: Id | None) -> None:
        """The first Run fails; a failure edge leads on, and that job succeeds."""
        world = self.world
        (run,) = read_attempt(world.reader, self.attempt_id).frontier
        world.do(StartRun(self.attempt_id, self.number, run.id, run.job_id))
        follow = (Follow(new_id(), caught_by, Cause.FAILURE),) if caught_by else ()
        world.do(EndRun(self.attempt_id, self.number, run.id, run.job_id, ExitReason.FAIL, next=follow))
        for each in follow:
            world.do(EndRun(self.attempt_id, self.number, each.run_id, each.job_id, ExitReason.SUCCESS))
        world.do(EndAttempt(self.attempt_id, self.number, ExitReason.SUCCESS if caught_by else ExitReason.FAIL))

    def cancel(self) -> None:
        """Somebody cancels it."""
        self.world.do(Cancel(self.attempt_id))
