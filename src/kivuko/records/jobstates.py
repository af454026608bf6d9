"""Job-states: the result of the last Run of each (message, job), kept in the transaction that changes it (requirements §3.7)."""

from __future__ import annotations

from collections.abc import Collection

from kivuko.records.database import Conflict, Connection
from kivuko.records.ids import Id
from kivuko.records.rows import JobState
from kivuko.records.states import JobResult

__all__ = ["Pair", "job_result", "recompute_job_states"]

Pair = tuple[Id, Id]
"""A message's id and a job's."""


def job_result(*, finished: bool, exit_code: int | None) -> JobResult:
    """What a Run says about its job: unfinished is "in progress", exit code 0 "success", all else "failure"."""
    if not finished:
        return JobResult.IN_PROGRESS
    return JobResult.SUCCESS if exit_code == 0 else JobResult.FAILURE


def recompute_job_states(connection: Connection, pairs: Collection[Pair]) -> None:
    """Makes the stored job-states of these pairs equal to the calculation.

    The pairs' messages must be locked, by a statement before this one: else two transactions that finish Runs of one pair would each
    compute from what they see, and leave "in progress" for ever.
    """
    if not pairs:
        return
    messages, jobs = sorted({message for message, _ in pairs}), sorted({job for _, job in pairs})
    found = connection.fetch("last_runs", message_ids=messages, job_ids=jobs)
    states = {
        (Id(message), Id(job)): JobState(
            Id(message), Id(job), Id(project), Id(run), job_result(finished=finished is not None, exit_code=code), finished, started
        )
        for message, job, project, run, code, finished, started in found
    }
    connection.write(states.values(), Conflict.REPLACE)
    for message, job in sorted(set(pairs) - states.keys()):
        connection.change("job_state_deleted", message_id=message, job_id=job)
