"""The lines of a log with filters, and what the page of a project counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from kivuko.records.database import Connection
from kivuko.records.ids import Id
from kivuko.records.listing import Conditions, contains_text, first_id_at, select_rows
from kivuko.records.rows import LogLine
from kivuko.records.states import AttemptState, LogLevel

__all__ = ["LogQuery", "WorkflowCounts", "list_log", "summary_of"]

_DAY_US = 86_400_000_000


@dataclass(frozen=True)
class LogQuery:
    """Which lines of an Attempt's log: those after a number, of one Run, of levels and sources, with a text."""

    attempt_id: Id
    after_seq: int = 0
    run_ids: Collection[Id] | None = None
    levels: Collection[LogLevel] | None = None
    sources: Collection[str] | None = None
    text: str | None = None


@dataclass
class WorkflowCounts:
    """What happened in a workflow: Attempts by state, since when the oldest one waits, when the last one failed (µs)."""

    states: dict[AttemptState, int] = field(default_factory=dict)
    oldest_waiting_at: int | None = None
    last_failure_id: Id | None = None


def list_log(connection: Connection, query: LogQuery, at_most: int) -> list[LogLine]:
    """Log lines, oldest first."""
    conditions = Conditions()
    conditions.add("log_line.attempt_id = ? AND log_line.seq > ?", query.attempt_id, query.after_seq)
    conditions.one_of("log_line.run_id", query.run_ids)
    conditions.one_of("log_line.level", None if query.levels is None else [int(level) for level in query.levels])
    conditions.one_of("log_line.source", query.sources)
    if query.text:
        text, value = contains_text(connection, "log_line.message", query.text)
        conditions.add(text, value)
    return select_rows(connection, LogLine, conditions, "log_line.seq", at_most)


def summary_of(connection: Connection, project_id: Id, days: int) -> dict[Id, WorkflowCounts]:
    """What happened in each workflow of a project in the last days, today included: one statement."""
    now_us = connection.now_us()
    since = now_us - days * _DAY_US
    found: dict[Id, WorkflowCounts] = defaultdict(WorkflowCounts)
    rows = connection.fetch("summary", project_id=project_id, first_day=since // _DAY_US + 1, first_id=first_id_at(since))
    for kind, workflow, state, count, attempt in rows:
        counts = found[Id(workflow)]
        if kind == "failed":
            counts.last_failure_id = Id(attempt)
            continue
        known = AttemptState(min(state, AttemptState.STARTED) if kind == "live" else state)
        counts.states[known] = counts.states.get(known, 0) + int(count)
        if kind == "live" and known in (AttemptState.QUEUED, AttemptState.PARKED):
            waits = Id(attempt).made_at_us
            counts.oldest_waiting_at = min(waits, counts.oldest_waiting_at or waits)
    return dict(found)
