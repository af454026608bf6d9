"""Why an Attempt ended, in one word (jobs-and-runtime §3.4)."""

from __future__ import annotations

from collections.abc import Sequence

from kivuko.engines.run import RunError
from kivuko.runtime.result import Reason, RunRecord
from kivuko.workflow import Workflow

__all__ = ["attempt_reason"]


def attempt_reason(ended_by: RunError | None, runs: Sequence[RunRecord], workflow: Workflow) -> tuple[Reason, str | None, str | None]:
    """Reason, error type and error message.

    What ended the Attempt early decides. Otherwise it failed if a job failed after which nothing was executed: one without edges, or none
    of whose targets ran; of several the first in the order of the workflow counts. A failure that the workflow went on from is no
    failure of the Attempt. Of several Runs of one job the last counts.
    """
    if ended_by is not None:
        return ended_by.severity, ended_by.name, ended_by.message
    last = {run.job_id: run for run in runs}
    for job in workflow.jobs:
        run = last.get(job.id)
        if run is not None and run.error is not None and not any(edge.target in last for edge in job.edges):
            return "fail", run.error.name, run.error.message
    return "success", None, None
