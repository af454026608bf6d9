"""Whether a workflow document makes sense by itself: names, the graph, conditions, expressions, filters, schedules.

What it refers to elsewhere (inboxes, credentials, sources) is ``references``' to check.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping

from kivuko.adaptors import parse_specifier
from kivuko.errors import CircularDependency, CompileError, InputError, InvalidSpecifier, JobSyntaxError, LazyStateError, SourceTooLarge
from kivuko.language import compile_job, compile_module
from kivuko.platform.workflows.document import CHAIN_KINDS, EdgeDocument, JobDocument, TriggerDocument, WorkflowDocument
from kivuko.platform.workflows.fields import Mistakes
from kivuko.records import Id
from kivuko.workflow import Edge, ExecutionPlan, Job, Node, Trigger, Workflow, validate
from kivuko.workflow.filters import read_filter
from kivuko.workflow.schedules import read_cron, read_interval

__all__ = ["adaptor_mistake", "check_document", "condition_mistake", "expression_mistake"]

_WORKFLOW_NAME = re.compile(r".*/?_del\d*$")
_JOB_NAME = re.compile(r"[a-zA-Z0-9_\- ]*\Z")
_CUSTOM_PATH = re.compile(r"[a-z0-9_-]+\Z")
_UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}\Z")
# OpenFn's list (platform §1.3): a condition decides, it does not work.
_UNACCEPTABLE = re.compile(r"\b(import|require|process|await|eval)\b")


def check_document(document: WorkflowDocument, mistakes: Mistakes) -> None:
    """Notes what is wrong."""
    if _WORKFLOW_NAME.match(document.name):
        mistakes.add("name", "must not end in _del: so are deleted workflows called")
    _check_ids(document, mistakes)
    for at, job in enumerate(document.jobs):
        _check_job(job, f"jobs.{at}", mistakes)
    names = Counter(job.name for job in document.jobs)
    for at, job in enumerate(document.jobs):
        if names[job.name] > 1:
            mistakes.add(f"jobs.{at}.name", f"{job.name!r} is the name of another job of this workflow too")
    for at, trigger in enumerate(document.triggers):
        _TRIGGER_CHECKS[trigger.kind](trigger, f"triggers.{at}", mistakes)
        if trigger.cursor_job_id and document.job(trigger.cursor_job_id) is None:
            mistakes.add(f"triggers.{at}.cursor_job_id", "is no job of this workflow")
    for at, edge in enumerate(document.edges):
        _check_edge(document, edge, f"edges.{at}", mistakes)
    if not any(path.startswith("edges") for path in mistakes.found):
        _check_circles(document, mistakes)


def expression_mistake(expression: str) -> str | None:
    """Why an expression cannot be read, in a sentence; None when it can. What only fails to compile crashes where it is reached."""
    try:
        compile_job(expression)
    except LazyStateError:
        return None
    except (JobSyntaxError, SourceTooLarge) as error:
        place = f" (line {error.line})" if error.line and "line" not in error.message.lower() else ""
        return f"{error.message}{place}"
    except CompileError:
        return None
    return None


def adaptor_mistake(adaptor: str) -> str | None:
    """Why an adaptor cannot be used, in a sentence; None when it can. Folders belong to the machine, not to who writes workflows."""
    try:
        found = parse_specifier(adaptor)
    except InvalidSpecifier as error:
        return error.message
    return f"must be the name of an adaptor, such as http@7.2.10: {found.path} is a folder of the server" if found.path else None


def condition_mistake(condition: str) -> str | None:
    """Why a JavaScript condition cannot be used, in a sentence; None when it can."""
    if found := _UNACCEPTABLE.search(condition):
        return f"contains the unacceptable word {found[0]}"
    try:
        compiled = compile_module(f"(state) => (\n{condition}\n)")
    except CompileError as error:
        return f"is no JavaScript expression: {error.message}"
    # Only V8 could tell: for one short expression that is as good as wrong.
    return "is no JavaScript expression" if compiled.doubtful else None


def _check_ids(document: WorkflowDocument, mistakes: Mistakes) -> None:
    seen: set[Id] = set()
    for name in ("triggers", "jobs", "edges"):
        for at, part in enumerate(getattr(document, name)):
            if part.id in seen:
                mistakes.add(f"{name}.{at}.id", "is the id of another part of this workflow too")
            seen.add(part.id)


def _check_job(job: JobDocument, path: str, mistakes: Mistakes) -> None:
    if len(job.name) > 100:
        mistakes.add(f"{path}.name", "must not be longer than 100 characters")
    if not _JOB_NAME.match(job.name):
        mistakes.add(f"{path}.name", "may have letters, digits, spaces, - and _ only")
    if job.adaptor and (mistake := adaptor_mistake(job.adaptor)):
        mistakes.add(f"{path}.adaptor", mistake)
    if not job.expression.strip():
        mistakes.add(f"{path}.expression", "must not be empty")
    elif mistake := expression_mistake(job.expression):
        mistakes.add(f"{path}.expression", mistake)


def _check_edge(document: WorkflowDocument, edge: EdgeDocument, path: str, mistakes: Mistakes) -> None:
    if (edge.source_job_id is None) == (edge.source_trigger_id is None):
        mistakes.add(path, "must have exactly one of source_job_id and source_trigger_id")
    if edge.source_job_id and document.job(edge.source_job_id) is None:
        mistakes.add(f"{path}.source_job_id", "is no job of this workflow")
    if edge.source_trigger_id and document.trigger(edge.source_trigger_id) is None:
        mistakes.add(f"{path}.source_trigger_id", "is no trigger of this workflow")
    if document.job(edge.target_job_id) is None:
        mistakes.add(f"{path}.target_job_id", "is no job of this workflow")
    if edge.target_job_id == edge.source_job_id:
        mistakes.add(f"{path}.target_job_id", "must not be the job that it leaves")
    if edge.source_trigger_id and edge.condition_type not in ("always", "js_expression"):
        mistakes.add(f"{path}.condition_type", "must be always or js_expression where a trigger is the source")
    if edge.source_trigger_id and not edge.enabled:
        mistakes.add(f"{path}.enabled", "must be true where a trigger is the source; switch the trigger off instead")
    if edge.condition_type == "js_expression":
        condition = (edge.condition_expression or "").strip()
        mistake = condition_mistake(condition) if condition else "must not be empty"
        if mistake:
            mistakes.add(f"{path}.condition_expression", mistake)


def _check_circles(document: WorkflowDocument, mistakes: Mistakes) -> None:
    nodes = (*map(_trigger_node(document), document.triggers), *map(_job_node(document), document.jobs))
    if not nodes:
        return
    try:
        validate(ExecutionPlan(Workflow(nodes)))
    except CircularDependency as error:
        names = {str(job.id): job.name for job in document.jobs}
        sentence = re.sub(r"[0-9a-f-]{36}", lambda found: names.get(found[0], found[0]), error.message)
        mistakes.add("edges", f"{sentence}: a job cannot run again in the same attempt")


def _trigger_node(document: WorkflowDocument) -> Callable[[TriggerDocument], Node]:
    return lambda trigger: Trigger(str(trigger.id), edges=_node_edges(document, trigger.id))


def _job_node(document: WorkflowDocument) -> Callable[[JobDocument], Node]:
    return lambda job: Job(str(job.id), job.expression, edges=_node_edges(document, job.id))


def _node_edges(document: WorkflowDocument, node_id: Id) -> tuple[Edge, ...]:
    return tuple(Edge(str(edge.target_job_id)) for edge in document.edges_from(node_id))


def _check_filter(trigger: TriggerDocument, path: str, mistakes: Mistakes) -> None:
    for side in ("inclusion", "exclusion"):
        try:
            read_filter(getattr(trigger, side))
        except InputError as error:
            mistakes.add(f"{path}.{side}", error.message)


def _check_webhook(trigger: TriggerDocument, path: str, mistakes: Mistakes) -> None:
    if trigger.custom_path is None:
        return
    if not _CUSTOM_PATH.match(trigger.custom_path):
        mistakes.add(f"{path}.custom_path", "may have lower-case letters, digits, - and _ only")
    if _UUID.match(trigger.custom_path):
        mistakes.add(f"{path}.custom_path", "must not look like an id")


def _check_cron(trigger: TriggerDocument, path: str, mistakes: Mistakes) -> None:
    _try_schedule(lambda: read_cron(trigger.cron_expression or ""), f"{path}.cron_expression", mistakes)
    _check_timezone(trigger, path, mistakes)


def _check_interval(trigger: TriggerDocument, path: str, mistakes: Mistakes) -> None:
    _try_schedule(lambda: read_interval(trigger.every or "", "2026-01-01T00:00"), f"{path}.every", mistakes)
    _try_schedule(lambda: read_interval("1 day", trigger.anchor or ""), f"{path}.anchor", mistakes)
    _check_timezone(trigger, path, mistakes)


def _check_timezone(trigger: TriggerDocument, path: str, mistakes: Mistakes) -> None:
    if trigger.timezone is not None:
        _try_schedule(lambda: read_cron("0 0 * * *", trigger.timezone or ""), f"{path}.timezone", mistakes)


def _try_schedule(read: Callable[[], object], path: str, mistakes: Mistakes) -> None:
    try:
        read()
    except InputError as error:
        mistakes.add(path, error.message)


def _check_chain(trigger: TriggerDocument, path: str, mistakes: Mistakes) -> None:
    if (trigger.source_job_id is None) == (trigger.source_workflow_id is None):
        mistakes.add(path, "must have exactly one of source_job_id and source_workflow_id")


_TRIGGER_CHECKS: Mapping[str, Callable[[TriggerDocument, str, Mistakes], None]] = {
    "message": _check_filter,
    "webhook": _check_webhook,
    "cron": _check_cron,
    "interval": _check_interval,
    "manual": lambda trigger, path, mistakes: None,
    **dict.fromkeys(CHAIN_KINDS, _check_chain),
}
