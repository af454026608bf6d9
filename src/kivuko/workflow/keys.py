"""The strict look at the keys of an execution plan (cli §5.1, ``--validate``)."""

from __future__ import annotations

from collections.abc import Mapping

from kivuko.errors import InvalidKey, PlanError

__all__ = ["check_keys"]

_ROUTE_KEYS = ("id", "type", "name", "next", "previous", "enabled", "openfn")
_STEP_KEYS = frozenset((*_ROUTE_KEYS, "adaptor", "adaptors", "expression", "state", "configuration", "linker", "sourceMap"))
_OPTION_KEYS = frozenset(("start", "end", "timeout", "stepTimeout", "sanitize", "collectionsEndpoint"))


def check_keys(document: object) -> tuple[str, ...]:
    """Looks at the keys of a plan as it was written; gives warnings, one text each.

    Raises InvalidKey for a step key that means nothing, and PlanError when the steps are no list or a step has an adaptor but no
    expression. Texts as in OpenFn: ``Invalid key "foo" in step a``.
    """
    plan = document if isinstance(document, Mapping) else {}
    workflow = plan.get("workflow", plan)
    steps = workflow.get("steps", workflow.get("jobs")) if isinstance(workflow, Mapping) else None
    if not isinstance(steps, list):
        raise PlanError("The workflow.steps key must be an array", fix='Write "steps": [{"id": …, "expression": …}].')
    for number, step in enumerate(steps, start=1):
        _check_step(step, number)
    warnings = [] if steps else ["The workflow.steps array is empty"]
    options = plan.get("options")
    unknown = [key for key in options if key not in _OPTION_KEYS] if isinstance(options, Mapping) else []
    return (*warnings, *(f'Unrecognized option "{key}" in options object' for key in unknown))


def _check_step(step: object, number: int) -> None:
    if not isinstance(step, Mapping):
        raise PlanError(f"Step {number} is not an object")
    name = step.get("id") or step.get("name") or number
    for key in step:
        if key not in _STEP_KEYS:
            raise InvalidKey(f'Invalid key "{key}" in step {name}', fix=f"Known keys: {', '.join(sorted(_STEP_KEYS))}.")
    if (step.get("adaptor") or step.get("adaptors")) and not step.get("expression"):
        raise PlanError(f"Step {name} has an adaptor but no expression", fix="Add an expression, or remove the adaptor.")
