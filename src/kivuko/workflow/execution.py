"""An execution plan: a workflow and how it is to be executed."""

from __future__ import annotations

from collections.abc import Mapping

from kivuko.errors import PlanError
from kivuko.value import fresh, value
from kivuko.workflow.workflow import Workflow

__all__ = ["ExecutionOptions", "ExecutionPlan"]


@value
class ExecutionOptions:
    """What a plan asks of its execution. None: it says nothing.

    ``start`` and ``end`` are ids. ``timeout_ms`` bounds one job (OpenFn's key ``timeout``). ``step_timeout_ms`` is carried along and means
    nothing in OpenFn. ``collections_endpoint`` is a URL. ``extra`` keeps unknown keys.
    """

    start: str | None = None
    end: str | None = None
    timeout_ms: int | None = None
    step_timeout_ms: int | None = None
    sanitize: str | None = None
    collections_endpoint: str | None = None
    extra: Mapping[str, object] = fresh(factory=dict)


@value
class ExecutionPlan:
    """A workflow with its options.

    ``converted`` says that the plan was read from OpenFn's old form ``{jobs: …}``.
    """

    workflow: Workflow
    options: ExecutionOptions = ExecutionOptions()
    id: str | None = None
    converted: bool = False
    extra: Mapping[str, object] = fresh(factory=dict)

    @property
    def start(self) -> str:
        """The id where the execution begins: that of the options, else that of the workflow, else that of the first node.

        Raises PlanError when the workflow has no node at all.
        """
        if chosen := self.options.start or self.workflow.start:
            return chosen
        if not self.workflow.nodes:
            raise PlanError("The workflow has no steps", fix="Add a step with an expression to `steps`.")
        return self.workflow.nodes[0].id
