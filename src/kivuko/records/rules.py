"""What the records ask about projects and workflows while they write. The server answers from its configuration cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kivuko.records.ids import Id
from kivuko.records.starting import Start

__all__ = ["DEEPEST_CHAIN", "NoRules", "Rules", "RunEnd", "WorkflowEnd"]

DEEPEST_CHAIN = 25
"""A chain of triggers that goes on beyond this is stopped, with an error (R-032)."""


@dataclass(frozen=True)
class RunEnd:
    """A Run ended: ``succeeded`` or not; ``cancelled`` when it was cancelled, replaced or overtaken."""

    project_id: Id
    workflow_id: Id
    job_id: Id
    succeeded: bool
    cancelled: bool


@dataclass(frozen=True)
class WorkflowEnd:
    """An Attempt ended, and nothing will take it over."""

    project_id: Id
    workflow_id: Id
    succeeded: bool
    cancelled: bool


class Rules(Protocol):
    """Answers from memory, on the writer's thread: never waits, never raises."""

    def lost_retries(self, workflow_id: Id) -> int:
        """How many new Attempts a lost one may get: 2 unless the workflow says otherwise, 0 for ``when_lost: hold``."""

    def failure_jobs(self, snapshot_id: Id, job_id: Id) -> Sequence[Id]:
        """The jobs that failure (or ``always``) edges lead to from this job, in document order."""

    def followers(self, end: RunEnd | WorkflowEnd) -> Sequence[Start]:
        """What this end starts by success, failure and ``always`` triggers, with fresh ids."""

    def erases(self, project_id: Id) -> bool:
        """Whether the project keeps nothing (zero persistence)."""


class NoRules:
    """No triggers, nothing erased, two retries: what holds where no project is configured."""

    def lost_retries(self, workflow_id: Id) -> int:
        """Two."""
        return 2

    def failure_jobs(self, snapshot_id: Id, job_id: Id) -> Sequence[Id]:
        """None."""
        return ()

    def followers(self, end: RunEnd | WorkflowEnd) -> Sequence[Start]:
        """Nothing."""
        return ()

    def erases(self, project_id: Id) -> bool:
        """Never."""
        return False
