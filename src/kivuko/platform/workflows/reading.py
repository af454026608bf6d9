"""JSON values → a workflow document, every mistake of form with its path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from kivuko.adaptors import parse_specifier
from kivuko.errors import InvalidSpecifier
from kivuko.platform.workflows.document import (
    TRIGGER_FIELDS,
    EdgeDocument,
    JobDocument,
    TriggerDocument,
    WorkflowDocument,
)
from kivuko.platform.workflows.fields import Fields, Mistakes
from kivuko.records import Id, new_id

__all__ = ["CONDITION_TYPES", "read_document"]

P = TypeVar("P")

CONDITION_TYPES = ("always", "on_job_success", "on_job_failure", "js_expression")
LONGEST_EXPRESSION = 1_000_000
_METHODS = ("POST", "GET", "PUT", "PATCH")
_REPLIES = ("before_start", "after_completion", "custom")
_OVERLAPS = ("queue", "allow", "skip", "replace")
_CATCH_UPS = ("skip", "once", "all")
_FAILURE_INPUTS = ("initial", "at_error")
_NOTIFY = ("each", "unhandled", "digest", "never")
_DAY_MS = 24 * 3600 * 1000


def read_document(written: Mapping[str, object], *, project_id: Id | None = None, workflow_id: Id | None = None) -> WorkflowDocument:
    """The document; parts without an id get one. Keys that are only in answers may be there. Raises ValidationFailed with all mistakes.

    ``project_id`` and ``workflow_id`` are those of the address: the document may leave them out, and may not say others.
    """
    mistakes = Mistakes()
    top = Fields(written, "", mistakes)
    top.skip("lock_version", "snapshot_id", "inserted_at", "updated_at")
    document = WorkflowDocument(
        id=_same(top, "id", workflow_id) or new_id(),
        project_id=_same(top, "project_id", project_id) or new_id(),
        name=(top.text("name", required=True) or "").strip(),
        enabled=top.flag("enabled", False),
        concurrency=top.number("concurrency", 1, 10_000),
        job_logs=top.flag("job_logs", True),
        when_lost=top.one_of("when_lost", ("retry", "hold"), "retry"),
        triggers=_parts(top, "triggers", _trigger),
        jobs=_parts(top, "jobs", _job),
        edges=_parts(top, "edges", _edge),
        positions=_positions(top),
    )
    if project_id is None and "project_id" not in top:
        top.wrong("project_id", "must be an id")
    top.close()
    mistakes.refuse()
    return document


def _same(top: Fields, name: str, known: Id | None) -> Id | None:
    found = top.id(name)
    if known is not None and found is not None and found != known:
        top.wrong(name, f"is another one than that of the address, {known}")
    return known or found


def _parts(top: Fields, name: str, read: Callable[[Fields], P]) -> tuple[P, ...]:
    parts = []
    for at, written in enumerate(top.many(name)):
        part = Fields(written, f"{name}.{at}", top.mistakes)
        parts.append(read(part))
        part.close()
    return tuple(parts)


def _trigger(part: Fields) -> TriggerDocument:
    kind = part.one_of("kind", tuple(TRIGGER_FIELDS), "")
    if not kind:
        part.wrong("kind", f"must be one of {', '.join(TRIGGER_FIELDS)}")
        part.skip(*(name for names in TRIGGER_FIELDS.values() for name in names))
    identity, name, enabled = part.id("id") or new_id(), part.text("name"), part.flag("enabled", False)
    part.skip("url", "next_at")
    own = {each: _TRIGGER_READERS[each](part, each) for each in TRIGGER_FIELDS.get(kind, ())}
    given = {each: value for each, value in own.items() if value is not None}
    return TriggerDocument(identity, kind or "manual", enabled, name, **given)  # type: ignore[arg-type]  # each reader gives its field's


def _methods(part: Fields, name: str) -> tuple[str, ...] | None:
    listed = part.many(name)
    for each in listed:
        if each not in _METHODS:
            part.wrong(name, f"{each!r} is none of {', '.join(_METHODS)}")
    return tuple(str(each) for each in listed) or None


def _every(part: Fields, name: str) -> str | None:
    found = part.raw(name)
    # Files from before 2020 have seconds.
    return f"{found} seconds" if isinstance(found, int) and not isinstance(found, bool) else part.text(name, required=True)


_TRIGGER_READERS: Mapping[str, Callable[[Fields, str], object]] = {
    "inbox_id": lambda part, name: part.id(name, required=True),
    "inclusion": lambda part, name: part.raw(name),
    "exclusion": lambda part, name: part.raw(name),
    "custom_path": lambda part, name: part.text(name),
    "methods": _methods,
    "reply": lambda part, name: part.one_of(name, _REPLIES, "before_start"),
    "success_code": lambda part, name: part.number(name, 200, 599),
    "error_code": lambda part, name: part.number(name, 200, 599),
    "auth_method_ids": lambda part, name: part.ids(name),
    "cron_expression": lambda part, name: part.text(name, required=True),
    "every": _every,
    "anchor": lambda part, name: part.text(name, required=True),
    "timezone": lambda part, name: part.text(name),
    "overlap": lambda part, name: part.one_of(name, _OVERLAPS, "queue"),
    "catch_up": lambda part, name: part.one_of(name, _CATCH_UPS, "skip"),
    "cursor_job_id": lambda part, name: part.id(name),
    "source_job_id": lambda part, name: part.id(name),
    "source_workflow_id": lambda part, name: part.id(name),
    "failure_input": lambda part, name: part.one_of(name, _FAILURE_INPUTS, "initial"),
    "on_cancelled": lambda part, name: part.flag(name, False),
}


def _job(part: Fields) -> JobDocument:
    return JobDocument(
        id=part.id("id") or new_id(),
        name=(part.text("name", required=True) or "").strip(),
        expression=part.text("expression", required=True, at_most=LONGEST_EXPRESSION) or "",
        adaptor=_adaptor(part.text("adaptor", required=True)),
        language=part.one_of("language", ("javascript",), "javascript"),
        credential_id=part.id("credential_id"),
        enabled=part.flag("enabled", True),
        retry=_retry(part),
        notify=part.one_of("notify", _NOTIFY, "each"),
        timeout_ms=part.number("timeout_ms", 1, 7 * _DAY_MS),
        memory_mb=part.number("memory_mb", 16, 65_536),
    )


def _adaptor(written: str | None) -> str | None:
    """``@openfn/language-http`` for ``http``, as on the command line: a bare name would be somebody else's package on npm."""
    try:
        return str(parse_specifier(written)) if written else written
    except InvalidSpecifier:
        return written


def _retry(part: Fields) -> Mapping[str, object] | None:
    written = part.raw("retry")
    if written is None:
        return None
    given = Fields(written, part.at("retry"), part.mistakes)
    policy = {
        "max_tries": given.number("max_tries", 1, 100) or 3,
        "backoff_ms": given.number("backoff_ms", 1, _DAY_MS) or 1000,
        "factor": _factor(given),
        "jitter": given.flag("jitter", True),
        "max_backoff_ms": given.number("max_backoff_ms", 1, 7 * _DAY_MS) or 3_600_000,
    }
    given.close()
    return policy


def _factor(given: Fields) -> float:
    found = given.raw("factor")
    if found is None:
        return 2
    if isinstance(found, bool) or not isinstance(found, int | float) or not 1 <= found <= 100:
        given.wrong("factor", "must be a number from 1 to 100")
        return 2
    return found


def _edge(part: Fields) -> EdgeDocument:
    failure_input = part.raw("failure_input")
    return EdgeDocument(
        id=part.id("id") or new_id(),
        target_job_id=part.id("target_job_id", required=True) or new_id(),
        source_trigger_id=part.id("source_trigger_id"),
        source_job_id=part.id("source_job_id"),
        condition_type=part.one_of("condition_type", CONDITION_TYPES, "always"),
        condition_expression=part.text("condition_expression"),
        condition_label=part.text("condition_label"),
        enabled=part.flag("enabled", True),
        failure_input=None if failure_input is None else part.one_of("failure_input", _FAILURE_INPUTS, "at_error"),
    )


def _positions(top: Fields) -> Mapping[str, Mapping[str, float]]:
    written = top.raw("positions")
    if written is None:
        return {}
    found: dict[str, Mapping[str, float]] = {}
    places = written if isinstance(written, Mapping) else {}
    if not isinstance(written, Mapping):
        top.wrong("positions", "must be an object")
    for node, place in places.items():
        numbers = [place.get("x"), place.get("y")] if isinstance(place, Mapping) and set(place) == {"x", "y"} else []
        at = [each for each in numbers if isinstance(each, int | float) and not isinstance(each, bool)]
        if len(at) == 2:
            found[str(node)] = {"x": at[0], "y": at[1]}
        else:
            top.wrong(f"positions.{node}", 'must be {"x": number, "y": number}')
    return found
