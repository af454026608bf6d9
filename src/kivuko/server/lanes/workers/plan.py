"""The plan that a worker gets, in the wire's words (worker-protocol §9)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from kivuko.platform.execution import Limits, TakenOver
from kivuko.platform.workflows.document import EdgeDocument, JobDocument, WorkflowDocument
from kivuko.records import AttemptRecord, Cause, Id, Run
from kivuko.server.lanes.workers.reports import clip_id_of

__all__ = ["Plans"]

_BY_HAND = (Cause.MANUAL, Cause.RERUN)


@dataclass(frozen=True)
class _Parts:
    """What the plans of a snapshot have in common."""

    triggers: list[dict[str, object]]
    jobs: list[dict[str, object]]
    edges: list[dict[str, object]]


class Plans:
    """Writes plans; what all plans of a snapshot have in common is kept for the snapshots used last."""

    def __init__(self, at_most: int = 500) -> None:
        self._at_most = at_most
        self._guard = threading.Lock()
        self._kept: OrderedDict[tuple[Id, bool, bool], _Parts] = OrderedDict()

    def write(
        self, record: AttemptRecord, document: WorkflowDocument, limits: Limits, *, earlier: TakenOver | None, foreign: bool
    ) -> dict[str, object]:
        """The plan of an Attempt. With ``earlier`` it goes on from its unfinished Runs, which only Kivuko's workers can."""
        attempt = record.attempt
        by_hand = record.work_order.cause in _BY_HAND or attempt.cause in _BY_HAND
        parts = self._parts(attempt.snapshot_id, document, foreign=foreign, by_hand=by_hand)
        plan: dict[str, object] = {
            "id": str(attempt.id),
            "name": document.name,
            "project_id": str(attempt.project_id),
            "triggers": parts.triggers,
            "jobs": parts.jobs,
            "edges": parts.edges,
            "starting_node_id": str(attempt.start_node),
            "dataclip_id": clip_id_of(record),
            "options": limits.as_options(),
        }
        return plan if foreign else plan | _own(record, earlier)

    def _parts(self, snapshot_id: Id, document: WorkflowDocument, *, foreign: bool, by_hand: bool) -> _Parts:
        key = (snapshot_id, foreign, by_hand)
        with self._guard:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = _parts_of(document, foreign=foreign, by_hand=by_hand)
        with self._guard:
            self._kept[key] = made
            if len(self._kept) > self._at_most:
                self._kept.popitem(last=False)
        return made


def _parts_of(document: WorkflowDocument, *, foreign: bool, by_hand: bool) -> _Parts:
    triggers: list[dict[str, object]] = [{"id": str(trigger.id), "type": trigger.kind} for trigger in document.triggers]
    jobs, edges = [_job(job) for job in document.jobs], _edges(document)
    if foreign:
        return _Parts(triggers, jobs, edges)
    jobs = [row | _extras(job, by_hand=by_hand) for row, job in zip(jobs, document.jobs, strict=True)]
    return _Parts(triggers, jobs, [row | {"failure_input": edge.failure_input} for row, edge in zip(edges, document.edges, strict=True)])


def _own(record: AttemptRecord, earlier: TakenOver | None) -> dict[str, object]:
    waiting = [_waiting(run) for run in record.frontier]
    return {
        "snapshot_id": str(record.attempt.snapshot_id),
        "runs": waiting if earlier else [],
        "queued": [] if earlier else waiting,
        "taken_over": earlier.as_json() if earlier else None,
        "executed_ms": record.attempt.executed_ms,
    }


def _waiting(run: Run) -> dict[str, object]:
    return {
        "id": str(run.id),
        "job_id": str(run.job_id),
        "input_dataclip_id": str(run.input_dataclip_id) if run.input_dataclip_id else None,
        "cause": run.cause.name.lower(),
        "tries": run.tries,
    }


def _job(job: JobDocument) -> dict[str, object]:
    credential = str(job.credential_id) if job.credential_id else None
    return {"id": str(job.id), "name": job.name, "adaptor": job.adaptor, "credential_id": credential, "body": job.expression}


def _extras(job: JobDocument, *, by_hand: bool) -> dict[str, object]:
    # A person who starts something wants to see its error, and no retries.
    retry = None if by_hand or job.retry is None else dict(job.retry)
    return {"language": job.language, "retry": retry, "timeout_ms": job.timeout_ms, "memory_mb": job.memory_mb}


def _edges(document: WorkflowDocument) -> list[dict[str, object]]:
    """A job that is switched off is not reached by an edge, only by somebody who starts there."""
    on = {job.id for job in document.jobs if job.enabled}
    return [_edge(edge, enabled=edge.enabled and edge.target_job_id in on) for edge in document.edges]


def _edge(edge: EdgeDocument, *, enabled: bool) -> dict[str, object]:
    return {
        "id": str(edge.id),
        "source_trigger_id": str(edge.source_trigger_id) if edge.source_trigger_id else None,
        "source_job_id": str(edge.source_job_id) if edge.source_job_id else None,
        "target_job_id": str(edge.target_job_id),
        "condition": edge.condition_expression if edge.condition_type == "js_expression" else edge.condition_type,
        "enabled": enabled,
    }
