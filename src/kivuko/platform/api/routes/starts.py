"""Starting work by hand, doing it again: work orders, retries, reruns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import ConfigDict, Field

from kivuko.errors import Conflict, ValidationFailed
from kivuko.platform.accounts.policies import Action
from kivuko.platform.api.access import found, require
from kivuko.platform.api.answers import json_answer
from kivuko.platform.api.bodies import member_text
from kivuko.platform.api.context import platform, write
from kivuko.platform.api.routes.attempts import attempt_seen
from kivuko.platform.api.routes.runs import run_seen
from kivuko.platform.api.starting import PRIORITY, QUEUE, WorkStarted, saved_input, start, version_of
from kivuko.platform.api.wire import IdText, Wire
from kivuko.platform.operations.reruns import rerun_of_run
from kivuko.platform.schedules.cursor import schedule_input
from kivuko.platform.workflows.document import SCHEDULE_KINDS, WorkflowDocument
from kivuko.platform.workflows.models import Workflow
from kivuko.platform.workflows.snapshots import current_snapshot
from kivuko.platform.workflows.starts import job_start, needs_from, starting_jobs, trigger_start
from kivuko.records import (
    Attempt,
    AttemptRecord,
    AttemptState,
    Cause,
    Dataclip,
    ExitReason,
    Id,
    Input,
    Needs,
    Origin,
    Retry,
    Run,
    Started,
    StartWork,
    new_id,
    read_attempt,
)
from kivuko.records.listing_messages import message_with_version
from kivuko.records.listing_runs import dataclip_row

__all__ = ["router"]

router = Router(tags=["starting and repeating"])


class StartNode(Wire):
    """Where work begins: at a job, on or off, or at a trigger."""

    job_id: IdText | None = None
    trigger_id: IdText | None = None


class InputGiven(Wire):
    """What is processed: a message (its newest version, unless named), a dataclip, or a body that is saved.

    Nothing at all: the state that a tick of the schedule would begin with, else `{}`.
    """

    message_id: IdText | None = None
    version: Annotated[int | None, Field(ge=1, le=2**31 - 1)] = None
    dataclip_id: IdText | None = None
    body: Any = None


class OrderWritten(Wire):
    """Work to be started by hand."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "workflow_id": "0192f0a1-0000-7000-8000-0000000000bb",
                    "start": {"job_id": "0192f0a1-0000-7000-8000-000000000002"},
                    "input": {"body": {"data": {"case": "c1"}}},
                }
            ]
        }
    )

    workflow_id: IdText
    start: StartNode
    input: Annotated[InputGiven, Field(default_factory=InputGiven)]


class RetryWritten(Wire):
    """From where an attempt is tried again, with which input, on which version of the workflow."""

    model_config = ConfigDict(populate_by_name=True, json_schema_extra={"examples": [{"from": "start"}]})

    from_: Annotated[Literal["start", "frontier"] | IdText, Field(alias="from", description="`start`, `frontier`, or a job's id.")] = (
        "start"
    )
    input: InputGiven | None = None
    as_it_was: bool = False


class RerunWritten(Wire):
    """How a run is done again: on the workflow as it is now, unless `as_it_was`; with the newest version of its message, unless named."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"as_it_was": False}]})

    as_it_was: bool = False
    version: Annotated[int | None, Field(ge=1, le=2**31 - 1)] = None


@router.post("/work_orders", response={201: WorkStarted}, summary="Start a workflow by hand")
def create_work_order(request: HttpRequest, given: OrderWritten) -> Any:
    """At a job or a trigger, on a message, a dataclip or a body; 429 `too_soon` within ten seconds of the job's last start."""
    row = found(Workflow.objects.filter(id=given.workflow_id, deleted_at__isnull=True).first())
    require(request, row.project_id, Action.RUN)
    current = current_snapshot(row.id)
    node, document = given.start, current.document
    if (node.job_id is None) == (node.trigger_id is None):
        raise ValidationFailed(errors={"start": ["give either job_id or trigger_id"]})
    if node.job_id is not None:
        if document.job(node.job_id) is None:
            raise ValidationFailed(errors={"start.job_id": ["names no job of this workflow"]})
        begins = job_start(document, current.snapshot_id, node.job_id, Cause.MANUAL, queue=QUEUE, priority=PRIORITY)
    else:
        if node.trigger_id is None or document.trigger(node.trigger_id) is None:
            raise ValidationFailed(errors={"start.trigger_id": ["names no trigger of this workflow"]})
        begins = trigger_start(document, current.snapshot_id, node.trigger_id, Cause.MANUAL, queue=QUEUE, priority=PRIORITY)
    chosen, clip = _input(request, row.project_id, given.input)
    trigger = document.trigger(begins.start_node)
    if trigger is not None and trigger.kind in SCHEDULE_KINDS and not given.input.model_fields_set:
        # Run now: as a tick would begin.
        chosen = schedule_input(platform().records, document, trigger)
    return _answer(request, start(StartWork(begins, Origin(row.project_id), chosen, saved_input=clip)))


@router.post("/attempts/{attempt_id}/retry", response={201: WorkStarted}, summary="Retry an attempt")
def retry_attempt(request: HttpRequest, attempt_id: IdText, given: RetryWritten) -> Any:
    """A new attempt in the same work order; what came before the job that it begins at is shown again, not executed."""
    with platform().records.reading() as connection:
        attempt = attempt_seen(request, connection, attempt_id, to_run=True)
        record = read_attempt(connection, attempt_id)
    if not attempt.state.finished:
        raise Conflict(f"the attempt is still {attempt.state.name.lower()}", fix="Wait for its end, or cancel it.")
    document, snapshot_id = version_of(attempt.workflow_id, attempt.snapshot_id if given.as_it_was else None)
    begins = _beginning(record, given.from_, document)
    chosen, clip = _input(request, attempt.project_id, given.input) if given.input else (None, None)
    if chosen is not None and not begins.runs:
        raise Conflict(
            "which job begins is decided by a condition, so it cannot be given another input", fix="Start a new work order with that input."
        )
    started = write(
        Retry(
            begins.attempt_id,
            retry_id=new_id(),
            snapshot_id=snapshot_id,
            start_node=begins.start_node,
            runs=begins.runs,
            from_run_id=begins.from_run_id,
            frontier=begins.frontier,
            given=chosen,
            saved_input=clip,
            queue=QUEUE,
            needs=begins.needs,
        )
    )
    return _answer(request, started)


@router.post("/runs/{run_id}/rerun", response={201: WorkStarted}, summary="Run it again")
def rerun(request: HttpRequest, run_id: IdText, given: RerunWritten) -> Any:
    """A new work order that begins at the run's job; the old run never changes. 429 `too_soon` within ten seconds of its last start."""
    with platform().records.reading() as connection:
        run = run_seen(request, connection, run_id, to_run=True)
    if given.version is not None and run.message_id is None:
        raise ValidationFailed(errors={"version": ["this run has no message"]})
    return _answer(request, start(rerun_of_run(run_id, as_it_was=given.as_it_was, version=given.version, priority=PRIORITY)))


@dataclass(frozen=True)
class _Beginning:
    """Where a retry begins, in the words of ``kivuko.records.Retry``."""

    attempt_id: Id
    start_node: Id
    runs: tuple[tuple[Id, Id], ...]
    needs: Needs
    from_run_id: Id | None = None
    frontier: tuple[Id, ...] = ()


def _beginning(record: AttemptRecord, where: str | Id, document: WorkflowDocument) -> _Beginning:
    if where == "frontier":
        return _from_frontier(record, document)
    if isinstance(where, Id):
        return _from_job(record, where, document)
    node = record.attempt.start_node
    if document.job(node) is not None:
        jobs: tuple[Id, ...] = (node,)
    elif document.trigger(node) is not None:
        jobs = starting_jobs(document, node)
    else:
        raise Conflict("where this attempt began is no part of the workflow any more", fix="Use as_it_was, or retry from a job.")
    return _Beginning(record.attempt.id, node, tuple((new_id(), job) for job in jobs), needs_from(document, node))


def _from_job(record: AttemptRecord, job_id: Id, document: WorkflowDocument) -> _Beginning:
    runs = [run for run in (*record.shown, *record.runs) if run.job_id == job_id]
    if not runs:
        raise ValidationFailed(errors={"from": ["names no job that this attempt has run"]})
    if document.job(job_id) is None:
        raise Conflict("the job is no part of the workflow any more", fix="Use as_it_was.")
    last = runs[-1]
    # One that this attempt only shows belongs to the attempt that ran it.
    return _Beginning(last.attempt_id, job_id, ((new_id(), job_id),), needs_from(document, job_id), from_run_id=last.id)


def _from_frontier(record: AttemptRecord, document: WorkflowDocument) -> _Beginning:
    attempt: Attempt = record.attempt
    lost: list[Run] = [run for run in record.runs if run.exit_reason is ExitReason.LOST]
    if attempt.state is not AttemptState.LOST or not lost:
        raise Conflict("only a lost attempt has unfinished runs to go on with", fix="Retry from the start, or from a job.")
    gone = [run for run in lost if document.job(run.job_id) is None]
    if gone:
        raise Conflict("a job of the unfinished runs is no part of the workflow any more", fix="Use as_it_was.")
    runs = tuple((new_id(), run.job_id) for run in lost)
    needs = needs_from(document, attempt.start_node)
    return _Beginning(attempt.id, attempt.start_node, runs, needs, frontier=tuple(run.id for run in lost))


def _input(request: HttpRequest, project_id: Id, given: InputGiven) -> tuple[Input, Dataclip | None]:
    """What was given, checked to be of the same project; a body is to be saved."""
    kinds = [name for name in ("message_id", "dataclip_id", "body") if name in given.model_fields_set]
    if len(kinds) > 1 or (given.version is not None and given.message_id is None):
        raise ValidationFailed(errors={"input": ["give one of message_id (with version, if you like), dataclip_id and body"]})
    if "body" in kinds:
        clip = saved_input(project_id, member_text(member_text(request.body, "input").encode(), "body").encode())
        return Input(dataclip_id=clip.id), clip
    with platform().records.reading() as connection:
        if given.message_id is not None:
            pair = message_with_version(connection, given.message_id, given.version)
            if pair is None or pair[0].project_id != project_id:
                raise ValidationFailed(errors={"input.message_id": ["names no message of this project"]})
            return Input(given.message_id, given.version), None
        if given.dataclip_id is not None:
            stored = dataclip_row(connection, given.dataclip_id)
            if stored is None or stored.project_id != project_id:
                raise ValidationFailed(errors={"input.dataclip_id": ["names no dataclip of this project"]})
            return Input(dataclip_id=given.dataclip_id), None
    return Input(), None


def _answer(request: HttpRequest, started: Started) -> Any:
    shape = WorkStarted(work_order_id=started.work_order_id, attempt_id=started.attempt_id, run_ids=list(started.run_ids))
    return json_answer(request, shape, 201, at=f"attempts/{started.attempt_id}")
