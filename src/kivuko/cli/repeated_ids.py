"""Steps of a workflow file that bear one id: only the last of them counts, as in OpenFn, which a person rarely means."""

from __future__ import annotations

from kivuko.cli.call import Call
from kivuko.errors import PlanError
from kivuko.workflow import ExecutionPlan

__all__ = ["tell_repeated_ids"]


def tell_repeated_ids(call: Call, plan: ExecutionPlan, *, refuse: bool = False) -> None:
    """Warn of ids that several steps of ``plan`` have; with ``refuse`` raise PlanError instead."""
    repeated = plan.workflow.repeated_ids
    if not repeated:
        return
    shown = ", ".join(f'"{identity}"' for identity in repeated)
    message = f"Several steps have the id {shown}" if len(repeated) == 1 else f"Several steps each have the ids {shown}"
    fix = "Give every step an id of its own, and correct the `next` that lead to it."
    if refuse:
        raise PlanError(message, details="Without --validate and --strict only the last of them runs.", fix=fix)
    call.log.warn(f"{message}: only the last of them runs. {fix}")
