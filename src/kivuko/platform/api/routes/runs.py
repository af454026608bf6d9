"""Runs: the history of jobs, as pages and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query, Router
from pydantic import Field

from kivuko.errors import BodyWiped, ObjectMissing
from kivuko.platform.accounts.policies import Action
from kivuko.platform.api.access import found, require
from kivuko.platform.api.context import platform
from kivuko.platform.api.pages import ListQuery, Page, count_up_to, cursor_id, id_page
from kivuko.platform.api.payloads import body_answer, body_bytes
from kivuko.platform.api.searching import log_finder, searched
from kivuko.platform.api.shapes.runs import RunItem, RunWhole, run_items, run_whole
from kivuko.platform.api.shapes.words import AttemptStateWord, CauseWord, cause_of
from kivuko.platform.api.wire import IdText, Moment
from kivuko.records import AttemptState, Id, Run
from kivuko.records.database import Connection
from kivuko.records.listing import Slice
from kivuko.records.listing_messages import message_with_version
from kivuko.records.listing_runs import RunQuery, count_runs, dataclip_row, list_runs, read_run

__all__ = ["RunFilters", "router", "run_query", "run_seen"]

router = Router(tags=["runs"])

MOST_CSV_ROWS = 100_000
_CSV = (
    "id", "job_name", "state", "cause", "exit_code", "message_id", "run_number", "attempt_id", "work_order_id", "workflow_id",
    "adaptor", "queued_at", "started_at", "finished_at", "duration_ms", "worker",
)  # fmt: skip


class RunFilters(ListQuery):
    """Which Runs; several values of one filter mean any of them."""

    state: list[AttemptStateWord] | None = None
    job_id: list[IdText] | None = None
    workflow_id: list[IdText] | None = None
    message_id: list[IdText] | None = None
    attempt_id: list[IdText] | None = None
    cause: list[CauseWord] | None = None
    exit_code: list[int] | None = None
    error_name: list[str] | None = None
    started_after: Annotated[Moment | None, Field(description="At this time or later.")] = None
    started_before: Annotated[Moment | None, Field(description="Before this time.")] = None
    finished_after: Moment | None = None
    finished_before: Moment | None = None
    q: Annotated[str | None, Field(min_length=1, max_length=200, description="Text in the log.")] = None


def run_query(project_id: Id, filters: RunFilters) -> RunQuery:
    """The records' question for these filters."""
    return RunQuery(
        project_id,
        job_ids=filters.job_id,
        workflow_ids=filters.workflow_id,
        message_ids=filters.message_id,
        attempt_ids=filters.attempt_id,
        states=None if filters.state is None else {AttemptState[state.upper()] for state in filters.state},
        causes=None if filters.cause is None else {cause_of(cause) for cause in filters.cause},
        exit_codes=None if filters.exit_code is None else {code for code in filters.exit_code if abs(code) < 2**31},
        error_names=filters.error_name,
        started_after=filters.started_after,
        started_before=filters.started_before,
        finished_after=filters.finished_after,
        finished_before=filters.finished_before,
    )


def runs_of(connection: Connection, query: RunQuery, text: str | None, part: Slice) -> list[Run]:
    """A slice of the Runs that pass the filters and whose log holds the text."""
    finder = log_finder(query.project_id, text) if text else None
    return searched(finder, query, part.before, part.at_most, lambda asked: list_runs(connection, asked, part))


def run_seen(request: HttpRequest, connection: Connection, run_id: Id, *, to_run: bool = False) -> Run:
    """A Run of a project that who asks may see. Raises ObjectMissing and Forbidden."""
    run = found(read_run(connection, run_id))
    require(request, run.project_id, Action.RUN if to_run else Action.SEE)
    return run


@router.get("/projects/{project_id}/runs", response=Page[RunItem], summary="List runs")
def list_runs_of_project(request: HttpRequest, project_id: IdText, filters: Query[RunFilters]) -> Any:
    """Newest first. With `Accept: text/csv` the whole list as CSV, up to 100 000 rows."""
    require(request, project_id)
    query = run_query(project_id, filters)
    if "text/csv" in request.headers.get("Accept", ""):
        return _as_csv(query, filters)
    with platform().records.reading() as connection:
        part = Slice(filters.limit + 1, cursor_id(filters.cursor))
        runs, cursor = id_page(runs_of(connection, query, filters.q, part), filters.limit, lambda run: run.id)
        counted = count_up_to(filters.count, lambda at_most: _count(connection, query, filters.q, at_most))
        return Page[RunItem](items=run_items(connection, runs), next_cursor=cursor, **counted)


@router.get("/runs/{run_id}", response=RunWhole, summary="Read a run")
def read_one_run(request: HttpRequest, run_id: IdText) -> Any:
    """One run, with the beginnings of its input and output."""
    with platform().records.reading() as connection:
        return run_whole(connection, run_seen(request, connection, run_id))


@router.get("/runs/{run_id}/input", summary="Download the input of a run", response={200: None})
def read_run_input(request: HttpRequest, run_id: IdText) -> Any:
    """The bytes: the body of its message's version, or its dataclip."""
    with platform().records.reading() as connection:
        run = run_seen(request, connection, run_id)
        if run.input_dataclip_id:
            return _clip(request, connection, run.input_dataclip_id, f"input-{run.id}.json")
        if run.message_id is None:
            raise ObjectMissing("this run has no stored input", fix="Its schedule began with the empty state.")
        pair = message_with_version(connection, run.message_id, run.message_version)
        if pair is None or pair[1] is None:
            raise BodyWiped("the run's message was purged", fix="Retention took it away; the run keeps its log.")
        return body_answer(request, body_bytes(pair[1]), name=f"input-{run.id}.json")


@router.get("/runs/{run_id}/output", summary="Download the output of a run", response={200: None})
def read_run_output(request: HttpRequest, run_id: IdText) -> Any:
    """The bytes of its final state."""
    with platform().records.reading() as connection:
        run = run_seen(request, connection, run_id)
        if run.output_dataclip_id is None:
            raise ObjectMissing("this run has no output", fix="Only a run that ended with success has a final state.")
        return _clip(request, connection, run.output_dataclip_id, f"output-{run.id}.json")


def _clip(request: HttpRequest, connection: Connection, dataclip_id: Id, name: str) -> HttpResponse:
    clip = dataclip_row(connection, dataclip_id)
    if clip is None:
        raise BodyWiped("the dataclip was purged", fix="Retention took it away; the run keeps its log.")
    return body_answer(request, body_bytes(clip), name=name)


def _count(connection: Connection, query: RunQuery, text: str | None, at_most: int) -> int:
    return len(runs_of(connection, query, text, Slice(at_most))) if text else count_runs(connection, query, at_most)


def _as_csv(query: RunQuery, filters: RunFilters) -> StreamingHttpResponse:
    def lines() -> Iterator[str]:
        yield _csv_line(_CSV)
        before, left = cursor_id(filters.cursor), MOST_CSV_ROWS
        while left > 0:
            with platform().records.reading() as connection:
                runs = runs_of(connection, query, filters.q, Slice(min(1000, left), before))
                items = run_items(connection, runs)
            yield from (_csv_line([item.as_json()[name] for name in _CSV]) for item in items)
            if len(runs) < min(1000, left):
                return
            before, left = runs[-1].id, left - len(runs)

    answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="runs.csv"'
    return answer


def _csv_line(values: Any) -> str:
    text = io.StringIO()
    # A cell that begins like a formula would be carried out by a spreadsheet.
    csv.writer(text).writerow([f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value for value in values])
    return text.getvalue()
