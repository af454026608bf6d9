"""Runs on the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import Field

from kivuko.platform.api.payloads import Payload, described
from kivuko.platform.api.shapes.words import AttemptStateWord, CauseWord, ReasonWord, word
from kivuko.platform.api.wire import IdText, Moment, Wire
from kivuko.platform.workflows.models import JobRow
from kivuko.records import Attempt, AttemptState, Id, Run, Worker
from kivuko.records.database import Connection
from kivuko.records.listing_messages import message_with_version
from kivuko.records.listing_runs import attempts_by_id, dataclip_row, run_state, workers_by_id

__all__ = ["RunError", "RunItem", "RunWhole", "Surroundings", "job_names", "run_items", "run_whole", "surroundings"]


class RunError(Wire):
    """What went wrong in a Run; ``line`` and ``column`` are the author's."""

    name: str | None = None
    message: str | None = None
    operation: str | None = None
    line: int | None = None
    column: int | None = None
    severity: str | None = None
    action: str | None = None


class RunItem(Wire):
    """A Run in a list."""

    id: IdText
    attempt_id: IdText
    work_order_id: IdText | None
    project_id: IdText
    workflow_id: IdText | None
    job_id: IdText
    job_name: str | None
    snapshot_id: IdText
    adaptor: str | None
    cause: CauseWord
    parent_run_id: IdText | None
    message_id: IdText | None
    message_version: int | None
    run_number: int | None = Field(description="Counts the runs of a message: the 3 of “run 3”.")
    state: AttemptStateWord
    exit_code: int | None
    exit_reason: ReasonWord | None
    tries: int
    error: RunError | None
    queued_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    duration_ms: int | None
    memory_bytes: int | None
    worker: str | None


class RunWhole(RunItem):
    """One Run, with what is said about its input and output."""

    input: Payload | None
    output: Payload | None


@dataclass(frozen=True)
class Surroundings:
    """What the Runs of a page need to be shown: a constant number of statements, however many they are."""

    attempts: Mapping[Id, Attempt]
    workers: Mapping[Id, Worker]
    job_names: Mapping[Id, str]


def job_names(job_ids: Sequence[Id] | set[Id]) -> dict[Id, str]:
    """The names of jobs, archived ones too: one statement."""
    return dict(JobRow.objects.filter(id__in=sorted(set(job_ids))).values_list("id", "name")) if job_ids else {}


def surroundings(connection: Connection, runs: Sequence[Run]) -> Surroundings:
    """What these Runs need."""
    return Surroundings(
        attempts_by_id(connection, {run.attempt_id for run in runs}),
        workers_by_id(connection, {run.worker_id for run in runs if run.worker_id}),
        job_names({run.job_id for run in runs}),
    )


def run_items(connection: Connection, runs: Sequence[Run]) -> list[RunItem]:
    """Runs for a list."""
    around = surroundings(connection, runs)
    return [RunItem(**_members(run, around)) for run in runs]


def run_whole(connection: Connection, run: Run) -> RunWhole:
    """A Run with its payloads."""
    return RunWhole(**_members(run, surroundings(connection, [run])), input=_input(connection, run), output=_output(connection, run))


def _members(run: Run, around: Surroundings) -> dict[str, Any]:
    attempt = around.attempts.get(run.attempt_id)
    worker = around.workers.get(run.worker_id) if run.worker_id else None
    state = run_state(run, attempt) if attempt else AttemptState.LOST
    ended = run.started_at is not None and run.finished_at is not None
    return {
        "id": run.id,
        "attempt_id": run.attempt_id,
        "work_order_id": attempt.work_order_id if attempt else None,
        "project_id": run.project_id,
        "workflow_id": attempt.workflow_id if attempt else None,
        "job_id": run.job_id,
        "job_name": around.job_names.get(run.job_id),
        "snapshot_id": run.snapshot_id,
        "adaptor": run.adaptor,
        "cause": word(run.cause),
        "parent_run_id": run.parent_run_id,
        "message_id": run.message_id,
        "message_version": run.message_version,
        "run_number": run.run_number,
        "state": word(state),
        "exit_code": run.exit_code,
        "exit_reason": word(run.exit_reason) if run.exit_reason is not None else None,
        "tries": run.tries,
        "error": _error(run),
        "queued_at": run.queued_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "duration_ms": (cast(int, run.finished_at) - cast(int, run.started_at)) // 1000 if ended else None,
        "memory_bytes": run.memory_bytes,
        "worker": worker.name if worker else None,
    }


def _error(run: Run) -> RunError | None:
    if run.error_type is None and run.error is None:
        return None
    stored = json.loads(run.error) if run.error else {}
    known = {name: stored.get(name) for name in RunError.model_fields if isinstance(stored.get(name), str | int)}
    return RunError.model_validate({"name": run.error_type, **known})


def _input(connection: Connection, run: Run) -> Payload | None:
    if run.input_dataclip_id:
        clip = dataclip_row(connection, run.input_dataclip_id)
        return described(clip) if clip else None
    if run.message_id:
        found = message_with_version(connection, run.message_id, run.message_version)
        return described(found[1], found[0].content_type) if found and found[1] else None
    return None


def _output(connection: Connection, run: Run) -> Payload | None:
    clip = dataclip_row(connection, run.output_dataclip_id) if run.output_dataclip_id else None
    return described(clip) if clip else None
