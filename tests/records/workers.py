"""A worker as tests play it: claims, reports, dies."""

from __future__ import annotations

from typing import Any

from kivuko.records.claims import Claim, Claimed
from kivuko.records.ids import Id, new_id
from kivuko.records.leases import Register
from kivuko.records.payloads import Payloads
from kivuko.records.reports import Cancel, EndAttempt, EndRun, Expire, Follow, RunEnded, StartAttempt, StartRun
from kivuko.records.rows import Attempt, Dataclip, LiveAttempt, Run, Worker
from kivuko.records.states import AttemptState, DataclipKind, ExitReason, Needs
from records.scenes import Scene


class Hand:
    """Holds one Attempt and reports about it."""

    def __init__(self, scene: Scene, held: Claimed) -> None:
        self.scene, self.id, self.number = scene, held.attempt_id, held.claim_number

    def start(self, *jobs: Id) -> tuple[Id, ...]:
        """run:start; ids of the next Runs."""
        return self.scene.do(StartAttempt(self.id, self.number, tuple(Follow(new_id(), job) for job in jobs)))

    def begin(self, run_id: Id, job_id: Id | None = None, **fields: Any) -> Id:
        """step:start."""
        return self.scene.do(StartRun(self.id, self.number, run_id, job_id or self.job_of(run_id), **fields))

    def end(self, run_id: Id, *jobs: Id, reason: ExitReason = ExitReason.SUCCESS, job_id: Id | None = None, **fields: Any) -> RunEnded:
        """step:complete, leading to ``jobs``."""
        follows = tuple(Follow(new_id(), job) for job in jobs)
        return self.scene.do(EndRun(self.id, self.number, run_id, job_id or self.job_of(run_id), reason, next=follows, **fields))

    def finish(self, reason: ExitReason = ExitReason.SUCCESS, error_type: str | None = None, **fields: Any) -> AttemptState:
        """run:complete."""
        return self.scene.do(EndAttempt(self.id, self.number, reason, error_type, **fields))

    def die(self) -> AttemptState:
        """The lease ends."""
        return self.scene.do(Expire(self.id, self.number, self.scene.get(LiveAttempt, self.id).renewed))

    def cancel(self) -> AttemptState:
        """Somebody cancels."""
        return self.scene.do(Cancel(self.id))

    def job_of(self, run_id: Id) -> Id:
        """The job of a Run."""
        return self.scene.get(Run, run_id).job_id

    @property
    def attempt(self) -> Attempt:
        """The Attempt as stored."""
        return self.scene.get(Attempt, self.id)

    def runs(self) -> list[Run]:
        """Its Runs, oldest first."""
        return self.scene.rows(Run, "WHERE attempt_id = ?", self.id)


def claim(scene: Scene, *, foreign: bool = False) -> Hand:
    """A worker claims the next Attempt."""
    worker = Worker(new_id(), "w", "1", Needs.JAVASCRIPT, int(foreign), 1, 1, scene.now_us)
    scene.do(Register(worker))
    (held,) = scene.do(Claim(worker.id))
    return Hand(scene, held)


def begun(scene: Scene, *jobs: Id, foreign: bool = False) -> Hand:
    """A message, claimed and begun; its Runs are those of the jobs."""
    scene.accept(scene.start(*jobs))
    hand = claim(scene, foreign=foreign)
    hand.start()
    return hand


def clip(scene: Scene, hand: Hand, body: bytes = b'{"data":{}}', *, wire_id: str | None = None) -> Dataclip:
    """An output to be stored."""
    stored = Payloads().store(new_id(), body)
    return Dataclip(
        new_id(), scene.project_id, DataclipKind.RUN_OUTPUT, hand.id, wire_id, stored.encoding, stored.body, None, stored.size_bytes
    )
