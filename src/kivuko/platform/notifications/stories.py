"""What a notice is about, in words that a person understands: no input data, nothing that was scrubbed."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from kivuko.errors import ObjectMissing
from kivuko.platform.projects.models import Project
from kivuko.platform.workflows.document import JobDocument, WorkflowDocument
from kivuko.platform.workflows.snapshots import read_snapshot
from kivuko.records import Attempt, ExitReason, Id, Notice, NoticeKind, Records, Run, is_handled
from kivuko.records.database import Connection
from kivuko.records.notices import last_lines_of_run

__all__ = ["Story", "story_of"]

LOG_LINES = 5
_LONGEST_TEXT = 600
_JOBS_OWN = ("JOB", "ADA")
"""What jobs and adaptors print may be input data: it stays in the app."""


@dataclass(frozen=True)
class Story:
    """``title`` is one line. ``line`` is the author's own line of code, counted from 1. ``notify`` is what the job says about telling.

    ``handled``: a failure edge or trigger took care of it.
    """

    kind: str
    project_id: Id
    subject_id: Id
    title: str
    project: str
    workflow: str
    link: str
    job: str | None = None
    error_name: str = ""
    error_message: str = ""
    action: str = ""
    line: int | None = None
    code: str = ""
    log: tuple[str, ...] = ()
    again: bool = False
    notify: str = "each"
    handled: bool = False


def story_of(records: Records, notice: Notice, public_url: str) -> Story | None:
    """The story of a notice; None when what it is about is gone, or is told by another notice. Raises RecordsUnavailable."""
    project = Project.objects.filter(id=notice.project_id, deleted_at__isnull=True).first()
    if project is None:
        return None
    with records.reading() as connection:
        runs = connection.load(Run, "run_read", id=notice.subject_id)
        attempts = connection.load(Attempt, "attempt_read", id=runs[0].attempt_id if runs else notice.subject_id)
        if not attempts:
            return None
        base = f"{public_url}/projects/{project.id}"
        if notice.kind is NoticeKind.RUN_FAILED:
            # A lost Run is told of by the notice of its Attempt.
            told = bool(runs) and runs[0].exit_reason is not ExitReason.LOST
            return _run_failed(connection, notice, project.name, attempts[0], runs[0], f"{base}/runs/{runs[0].id}") if told else None
        subject = f"runs/{runs[0].id}" if runs else f"attempts/{attempts[0].id}"
        if notice.kind is NoticeKind.ATTEMPT_LOST:
            return _attempt_lost(connection, notice, project.name, attempts[0], f"{base}/{subject}")
        return _chain_too_deep(notice, project.name, attempts[0], f"{base}/{subject}")


def _run_failed(connection: Connection, notice: Notice, project: str, attempt: Attempt, run: Run, link: str) -> Story:
    document = _document(run.snapshot_id)
    job = document.job(run.job_id) if document else None
    workflow, name = _name_of(document, attempt), job.name if job else str(run.job_id)
    error = _error_of(run)
    line = error.get("line")
    number = line if isinstance(line, int) and line > 0 else None
    return replace(
        _story("run_failed", notice, run.id, project, workflow, link, f" failed: {name}"),
        job=name,
        error_name=_text(error.get("name")) or run.error_type or "",
        error_message=_text(error.get("message")),
        action=_text(error.get("action")),
        line=number,
        code=_code(job, number),
        log=tuple(_text(text) for text in last_lines_of_run(connection, run, LOG_LINES, _JOBS_OWN)),
        notify=job.notify if job else "each",
        handled=is_handled(connection, run),
    )


def _attempt_lost(connection: Connection, notice: Notice, project: str, attempt: Attempt, link: str) -> Story:
    workflow = _name_of(_document(attempt.snapshot_id), attempt)
    others = connection.fetch("attempts_of_work_orders", ids=[attempt.work_order_id])
    again = any(Id(other) > attempt.id for (other,) in others)
    return replace(
        _story("attempt_lost", notice, attempt.id, project, workflow, link, ": the worker of an attempt was lost"),
        error_name=attempt.error_type or "Lost",
        error_message="The worker stopped answering before the attempt had ended.",
        action="It is being tried again by itself." if again else "Look at what it had done before you try it again.",
        again=again,
    )


def _chain_too_deep(notice: Notice, project: str, attempt: Attempt, link: str) -> Story:
    workflow = _name_of(_document(attempt.snapshot_id), attempt)
    return replace(
        _story("chain_too_deep", notice, notice.subject_id, project, workflow, link, ": a chain of triggers was stopped"),
        error_name="ChainTooDeep",
        error_message="Triggers started one another more than 25 times.",
        action="Look for a job whose success or failure leads back to itself, and switch one of the triggers off.",
    )


def _story(kind: str, notice: Notice, subject_id: Id, project: str, workflow: str, link: str, happened: str) -> Story:
    """What every story says; ``happened`` follows the names in its title."""
    title = _one_line(f'"{workflow}" ({project}){happened}')
    return Story(kind, notice.project_id, subject_id, title, project, workflow, link)


def _document(snapshot_id: Id) -> WorkflowDocument | None:
    try:
        return read_snapshot(snapshot_id)
    except ObjectMissing:
        return None


def _name_of(document: WorkflowDocument | None, attempt: Attempt) -> str:
    return document.name if document else str(attempt.workflow_id)


def _error_of(run: Run) -> dict[str, object]:
    try:
        found = json.loads(run.error or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _code(job: JobDocument | None, line: int | None) -> str:
    lines = job.expression.splitlines() if job and line else []
    return lines[line - 1].strip()[:_LONGEST_TEXT] if line and line <= len(lines) else ""


def _text(value: object) -> str:
    return value[:_LONGEST_TEXT] if isinstance(value, str) else ""


def _one_line(text: str) -> str:
    """For a header: no line breaks."""
    return " ".join(text.split())[:400]
