"""Long work: bulk reruns, and the operations that carry them out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Literal, get_origin

from django.http import HttpRequest
from ninja import Router
from pydantic import ConfigDict, Field, ValidationError

from kivuko.errors import AlreadyFinished, ValidationFailed
from kivuko.platform.accounts.policies import Action
from kivuko.platform.api.access import found, require
from kivuko.platform.api.answers import json_answer
from kivuko.platform.api.authentication import actor_of
from kivuko.platform.api.context import platform
from kivuko.platform.api.pages import ListQuery
from kivuko.platform.api.routes.messages import MessageFilters, message_query, messages_of
from kivuko.platform.api.routes.runs import RunFilters, run_query, runs_of
from kivuko.platform.api.wire import IdText, Moment, Wire, datetime_us
from kivuko.platform.operations.bulk import cancel_operation, create_bulk_rerun, operation
from kivuko.platform.operations.views import UNFINISHED, OperationView
from kivuko.platform.workflows.models import JobRow
from kivuko.records import Id
from kivuko.records.database import Connection
from kivuko.records.listing import Slice

__all__ = ["router"]

router = Router(tags=["operations"])

_BATCH = 1000


class BulkRerun(Wire):
    """Which messages (or runs) are run again, from where, in which order, how fast."""

    model_config = ConfigDict(
        populate_by_name=True,
        json_schema_extra={"examples": [{"filter": {"job_state": "failure"}, "from": "start", "order": "oldest", "dry_run": True}]},
    )

    subject: Annotated[Literal["messages", "runs"], Field(description="Whose list `filter` is about.")] = "messages"
    filter: Annotated[dict[str, Any], Field(description="The filters of that list; one value, or a list of values.")]
    from_: Annotated[
        Literal["start"] | IdText,
        Field(alias="from", description="`start`: what matches (of runs: the own job); or a job's id."),
    ] = "start"
    order: Literal["oldest", "newest"] = "oldest"
    rate_per_s: Annotated[float | None, Field(gt=0, le=1000)] = None
    dry_run: bool = False


class BulkCount(Wire):
    """How many it would be."""

    count: int


class OperationShape(Wire):
    """How far it is; `total` = `done` + `skipped` + `failed` + what is left."""

    id: IdText
    project_id: IdText
    kind: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    total: int
    done: int
    skipped: int
    failed: int
    skipped_reasons: dict[str, int]
    inserted_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    result: dict[str, Any] | None


@router.post("/projects/{project_id}/bulk_reruns", response={202: OperationShape, 200: BulkCount}, summary="Run many again")
def create_bulk(request: HttpRequest, project_id: IdText, given: BulkRerun) -> Any:
    """What counts is what exists now. `dry_run` only counts."""
    require(request, project_id, Action.RUN)
    if isinstance(given.from_, Id) and not JobRow.objects.filter(id=given.from_, project_id=project_id, archived_at__isnull=True).exists():
        raise ValidationFailed(errors={"from": ["names no job of this project"]})
    ids = list(_ids(project_id, given))
    if given.dry_run:
        return json_answer(request, BulkCount(count=len(ids)))
    made = create_bulk_rerun(
        project_id,
        subject=given.subject,
        ids=reversed(ids) if given.order == "oldest" else ids,
        start=given.from_,
        rate_per_s=given.rate_per_s,
        author_id=actor_of(request).user_id,
        filter=given.filter,
    )
    return json_answer(request, _shape(made), 202, at=f"operations/{made.id}")


@router.get("/operations/{operation_id}", response=OperationShape, summary="Read an operation")
def read_operation(request: HttpRequest, operation_id: IdText) -> Any:
    """How far it is."""
    view = found(operation(operation_id))
    require(request, view.project_id)
    return _shape(view)


@router.post("/operations/{operation_id}/cancel", response={202: OperationShape}, summary="Cancel an operation")
def cancel_one_operation(request: HttpRequest, operation_id: IdText) -> Any:
    """What it has started goes on; it starts nothing more."""
    view = found(operation(operation_id))
    require(request, view.project_id, Action.RUN)
    if view.state not in UNFINISHED:
        raise AlreadyFinished(f"the operation is {view.state} already")
    return json_answer(request, _shape(cancel_operation(operation_id)), 202)


def _ids(project_id: Id, given: BulkRerun) -> Iterator[Id]:
    """The ids that the filter leads to, newest first: read in batches, so that memory does not grow with bodies."""
    batch: Callable[[Connection, Slice], Sequence[Any]]
    if given.subject == "messages":
        messages = _read(MessageFilters, given.filter)
        asked = message_query(project_id, messages)

        def batch(connection: Connection, part: Slice) -> Sequence[Any]:
            return messages_of(connection, asked, messages.q, part)
    else:
        runs = _read(RunFilters, given.filter)
        wanted = run_query(project_id, runs)

        def batch(connection: Connection, part: Slice) -> Sequence[Any]:
            return runs_of(connection, wanted, runs.q, part)

    before: Id | None = None
    while True:
        with platform().records.reading() as connection:
            rows = batch(connection, Slice(_BATCH, before))
        yield from (row.id for row in rows)
        if len(rows) < _BATCH:
            return
        before = rows[-1].id


def _read(kind: type[Any], written: dict[str, Any]) -> Any:
    """The filters of a list, written as JSON. Raises ValidationFailed."""
    paging = set(ListQuery.model_fields)
    unknown = [key for key in written if key not in kind.model_fields or key in paging]
    if unknown:
        raise ValidationFailed(errors={f"filter.{key}": ["is no filter of this list"] for key in unknown})
    values = {key: [value] if _takes_several(kind, key) and not isinstance(value, list) else value for key, value in written.items()}
    try:
        return kind(**values)
    except ValidationError as error:
        paths = {".".join(map(str, ("filter", *each["loc"]))): [each["msg"]] for each in error.errors()}
        raise ValidationFailed(errors=paths) from error


def _takes_several(kind: type[Any], key: str) -> bool:
    annotation = kind.model_fields[key].annotation
    return any(get_origin(each) is list for each in getattr(annotation, "__args__", ()))


def _shape(view: OperationView) -> OperationShape:
    return OperationShape(
        id=view.id,
        project_id=view.project_id,
        kind=view.kind,
        state=view.state,  # type: ignore[arg-type]  # the operations' words are the wire's
        total=view.total,
        done=view.done,
        skipped=view.skipped,
        failed=view.failed,
        skipped_reasons=dict(view.skipped_reasons),
        inserted_at=datetime_us(view.inserted_at),
        started_at=datetime_us(view.started_at) if view.started_at else None,
        finished_at=datetime_us(view.finished_at) if view.finished_at else None,
        result=dict(view.result) if view.result is not None else None,
    )
