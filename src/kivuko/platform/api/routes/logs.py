"""Logs of Attempts and Runs: JSON by pages, or plain text."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Annotated, Any

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router
from pydantic import Field

from kivuko.platform.api.context import platform
from kivuko.platform.api.pages import Page, cursor_number, next_number
from kivuko.platform.api.routes.attempts import attempt_seen
from kivuko.platform.api.routes.runs import run_seen
from kivuko.platform.api.shapes.words import LevelWord, word
from kivuko.platform.api.wire import IdText, Moment, Wire, time_text
from kivuko.records import Id, LogLevel, LogLine
from kivuko.records.listing_logs import LogQuery, list_log

__all__ = ["Line", "line_shape", "router"]

router = Router(tags=["logs"])

_BATCH = 1000


class Line(Wire):
    """One line of a log; ``seq`` counts from 1 within the attempt."""

    seq: int
    at: Moment
    level: LevelWord
    source: str
    run_id: IdText | None
    message: str


class LogFilters(Wire):
    """Which lines; several values of one filter mean any of them."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 200
    cursor: str | None = None
    after_seq: Annotated[int, Field(ge=0, le=2**62, description="Lines after this one.")] = 0
    level: list[LevelWord] | None = None
    source: list[str] | None = None
    q: Annotated[str | None, Field(min_length=1, max_length=200)] = None


@router.get("/attempts/{attempt_id}/log", response=Page[Line], summary="Read the log of an attempt")
def read_attempt_log(request: HttpRequest, attempt_id: IdText, filters: Query[LogFilters]) -> Any:
    """Oldest first. With `Accept: text/plain` all of it as text."""
    with platform().records.reading() as connection:
        attempt_seen(request, connection, attempt_id)
    return _log(request, attempt_id, None, filters)


@router.get("/runs/{run_id}/log", response=Page[Line], summary="Read the log of a run")
def read_run_log(request: HttpRequest, run_id: IdText, filters: Query[LogFilters]) -> Any:
    """Oldest first. With `Accept: text/plain` all of it as text."""
    with platform().records.reading() as connection:
        run = run_seen(request, connection, run_id)
    return _log(request, run.attempt_id, [run.id], filters)


def line_shape(line: LogLine) -> Line:
    """A line for the wire."""
    return Line(
        seq=line.seq,
        at=line.at_us,
        level=word(line.level),
        source=line.source,
        run_id=line.run_id,
        message=line.message,
    )


def _log(request: HttpRequest, attempt_id: Id, run_ids: Collection[Id] | None, filters: LogFilters) -> Any:
    query = LogQuery(
        attempt_id,
        after_seq=max(filters.after_seq, cursor_number(filters.cursor)),
        run_ids=run_ids,
        levels=None if filters.level is None else {LogLevel[level.upper()] for level in filters.level},
        sources=filters.source,
        text=filters.q,
    )
    if "text/plain" in request.headers.get("Accept", ""):
        return StreamingHttpResponse(_text(query), content_type="text/plain; charset=utf-8")
    with platform().records.reading() as connection:
        lines = list_log(connection, query, filters.limit + 1)
    cursor = next_number(lines[filters.limit - 1].seq) if len(lines) > filters.limit else None
    return Page[Line](items=[line_shape(line) for line in lines[: filters.limit]], next_cursor=cursor)


def _text(query: LogQuery) -> Iterator[str]:
    while True:
        with platform().records.reading() as connection:
            lines = list_log(connection, query, _BATCH)
        yield "".join(f"{time_text(line.at_us)} {line.source} {word(line.level)} {line.message}\n" for line in lines)
        if len(lines) < _BATCH:
            return
        query = replace(query, after_seq=lines[-1].seq)
