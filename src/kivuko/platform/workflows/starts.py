"""What a trigger or a job starts, as the records take it: which jobs, on which snapshot, what a worker must be able to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kivuko.errors import ObjectMissing
from kivuko.platform.workflows.document import JobDocument, WorkflowDocument
from kivuko.records import Cause, Id, Needs, Start, new_start

__all__ = ["job_start", "jobs_behind", "needs_from", "starting_jobs", "trigger_start"]

_NEEDS = {"javascript": Needs.JAVASCRIPT, "python": Needs.PYTHON}


def jobs_behind(document: WorkflowDocument, trigger_id: Id) -> tuple[JobDocument, ...]:
    """The jobs that a trigger leads to and that are on, each once, in document order; with nothing behind it, it starts nothing."""
    reached = {edge.target_job_id for edge in document.open_edges_from(trigger_id)}
    return tuple(job for job in document.jobs if job.id in reached)


def starting_jobs(document: WorkflowDocument, trigger_id: Id) -> tuple[Id, ...]:
    """Those of them that are reached whatever the input is: once for each ``always`` edge, in document order of the jobs."""
    sure = [edge.target_job_id for edge in document.open_edges_from(trigger_id) if edge.condition_type == "always"]
    return tuple(job.id for job in document.jobs for _ in range(sure.count(job.id)))


def needs_from(document: WorkflowDocument, start_node: Id) -> Needs:
    """What a worker must be able to do for every job that can be reached from a trigger or job, itself included."""
    reached, waiting = {start_node}, [start_node]
    while waiting:
        for edge in document.edges_from(waiting.pop()):
            if edge.target_job_id not in reached:
                reached.add(edge.target_job_id)
                waiting.append(edge.target_job_id)
    return _needs(job for job in document.jobs if job.id in reached)


def trigger_start(document: WorkflowDocument, snapshot_id: Id, trigger_id: Id, cause: Cause, **queueing: Any) -> Start:
    """A start at a trigger with fresh ids; ``queueing`` are the fields of Start from ``queue`` on."""
    jobs = starting_jobs(document, trigger_id)
    asked = {"needs": needs_from(document, trigger_id), **queueing}
    return new_start(document.id, snapshot_id, trigger_id, cause, jobs, trigger_id=trigger_id, **asked)


def job_start(document: WorkflowDocument, snapshot_id: Id, job_id: Id, cause: Cause, **queueing: Any) -> Start:
    """A start at a job, on or off, with fresh ids. Raises ObjectMissing for a job that the snapshot does not have."""
    if document.job(job_id) is None:
        raise ObjectMissing(f"job {job_id} is not in this version of the workflow")
    asked = {"needs": needs_from(document, job_id), **queueing}
    return new_start(document.id, snapshot_id, job_id, cause, (job_id,), **asked)


def _needs(jobs: Iterable[JobDocument]) -> Needs:
    needs = Needs.NOTHING
    for job in jobs:
        needs |= _NEEDS[job.language]
    return needs
