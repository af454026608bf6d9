"""OpenFn's execution plan: reading its JSON into a workflow, and writing it again (jobs-and-runtime §2.1).

Here and in ``steps`` OpenFn's words are translated: a plan's "step" with an expression is a Job, one without is a Trigger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from kivuko.errors import PlanError
from kivuko.workflow.execution import ExecutionOptions, ExecutionPlan
from kivuko.workflow.fields import Fields
from kivuko.workflow.steps import read_step, write_step
from kivuko.workflow.workflow import Node, Workflow

__all__ = ["read_plan", "write_plan"]


def read_plan(document: object) -> ExecutionPlan:
    """The plan that a JSON or YAML document describes.

    Accepted are ``{workflow, options}``, the flat form ``{id, name, start, options, steps}``, OpenFn's old form ``{jobs, start, id}`` and
    ``{workflows: …}`` with one entry. Steps without id become ``job-1``, ``job-2`` … (counting only those); of two steps with one id
    the later replaces the earlier, and ``workflow.repeated_ids`` names it. Raises PlanError, with the place, where the document has
    another shape. Whether edges lead somewhere is for ``kivuko.workflow.validate``.
    """
    fields = Fields.of(document, "the execution plan")
    if "workflow" in fields:
        return _read_nested(fields)
    if "workflows" in fields:
        return _read_only_entry(fields)
    if "jobs" in fields:
        return _read_old(fields)
    if "steps" in fields:
        return _read_flat(fields)
    raise PlanError(
        'The execution plan has no "workflow" and no "steps"', fix='Write {"workflow": {"steps": […]}}; see "Workflow for local runs".'
    )


def write_plan(plan: ExecutionPlan) -> dict[str, object]:
    """The plan as OpenFn's JSON, in the form ``{id, workflow, options}``; keys that say nothing are left out."""
    workflow = plan.workflow
    written: dict[str, object] = {"id": workflow.id, "name": workflow.name, "start": workflow.start}
    written |= {"globals": workflow.globals, "credentials": workflow.credentials, **workflow.extra}
    written["steps"] = [write_step(node) for node in workflow.nodes]
    document = {"id": plan.id, "workflow": _present(written), "options": _write_options(plan.options), **plan.extra}
    return _present(document)


def _read_nested(fields: Fields) -> ExecutionPlan:
    workflow = _read_workflow(Fields.of(fields.take("workflow"), '"workflow"'))
    options = _read_options(fields.take("options"))
    return ExecutionPlan(workflow, options, id=fields.text("id"), extra=fields.rest())


def _read_flat(fields: Fields) -> ExecutionPlan:
    options = _read_options(fields.take("options"))
    return ExecutionPlan(_read_workflow(fields), options)


def _read_old(fields: Fields) -> ExecutionPlan:
    steps, options = fields.take("jobs"), _read_options(fields.take("options"))
    workflow = _read_workflow(Fields({**fields.rest(), "steps": steps}, fields.place))
    return ExecutionPlan(workflow, options, converted=True)


def _read_only_entry(fields: Fields) -> ExecutionPlan:
    named = _entries(fields.take("workflows"))
    if len(named) != 1:
        raise PlanError(
            f'"workflows" holds {len(named)} workflows; a plan is one',
            fix='Keep one workflow per file, under the key "workflow", or name one of a checked-out project.',
        )
    key, entry = named[0]
    plan = _read_workflow(Fields.of(entry, f'"workflows.{key}"' if key else '"workflows"'), default_name=key)
    return ExecutionPlan(plan, _read_options(fields.take("options")), extra=fields.rest())


def _read_workflow(fields: Fields, *, default_name: str | None = None) -> Workflow:
    steps = fields.take("steps", fields.take("jobs"))
    if not isinstance(steps, list | Mapping):
        raise PlanError(f"The steps of {fields.place} are not a list", fix='Write "steps": [{"id": …, "expression": …}].')
    nodes = _read_nodes(_entries(steps))
    return Workflow(
        nodes=tuple(dict(nodes).values()),
        id=fields.text("id"),
        name=fields.text("name") or default_name,
        start=fields.text("start"),
        globals=fields.text("globals"),
        credentials=fields.mapping("credentials"),
        extra=fields.rest(),
        repeated_ids=tuple(identity for identity, count in Counter(identity for identity, _ in nodes).items() if count > 1),
    )


def _entries(value: object) -> list[tuple[str | None, object]]:
    if isinstance(value, Mapping):
        return [(str(key), entry) for key, entry in value.items()]
    return [(None, entry) for entry in value] if isinstance(value, list) else []


def _read_nodes(entries: list[tuple[str | None, object]]) -> list[tuple[str, Node]]:
    nodes: list[tuple[str, Node]] = []
    unnamed = 0
    for number, (key, step) in enumerate(entries, start=1):
        fields = Fields.of(step, f"step {key or number}")
        identity = fields.text("id") or key
        if not identity:
            unnamed += 1
            identity = f"job-{unnamed}"
        nodes.append((identity, read_step(fields, identity)))
    return nodes


def _read_options(value: object) -> ExecutionOptions:
    if value is None:
        return ExecutionOptions()
    fields = Fields.of(value, '"options"')
    return ExecutionOptions(
        start=fields.text("start"),
        end=fields.text("end"),
        timeout_ms=fields.whole_number("timeout"),
        step_timeout_ms=fields.whole_number("stepTimeout"),
        sanitize=fields.text("sanitize"),
        collections_endpoint=fields.text("collectionsEndpoint"),
        extra=fields.rest(),
    )


def _write_options(options: ExecutionOptions) -> dict[str, object] | None:
    written: dict[str, object] = {"start": options.start, "end": options.end, "timeout": options.timeout_ms}
    written |= {"stepTimeout": options.step_timeout_ms, "sanitize": options.sanitize}
    written |= {"collectionsEndpoint": options.collections_endpoint, **options.extra}
    return _present(written) or None


def _present(document: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in document.items() if value is not None}
