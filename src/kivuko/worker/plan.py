"""The plan that a server gives for an Attempt: read from the wire's words into a workflow and how it is executed (worker-protocol §9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kivuko.errors import InputError
from kivuko.runtime import JobLimits
from kivuko.worker.retry import RetryPolicy
from kivuko.workflow import Edge, ExecutionOptions, ExecutionPlan, Job, Node, Trigger, Workflow

__all__ = ["Assignment", "FrontierRun", "JobTraits", "TakenOver", "read_assignment", "read_execution_plan", "read_traits"]

Row = Mapping[str, object]

_EMPTY_JOB = "// This job has no code"
"""A job without code is a Run all the same, which passes its input on."""


@dataclass(frozen=True)
class FrontierRun:
    """A Run that exists already: to go on with, or to begin with (``tries`` is how often it was tried so far)."""

    id: str
    job_id: str
    tries: int = 0


@dataclass(frozen=True)
class TakenOver:
    """What was done before, where an Attempt goes on: how it ended so far, and what its leaves are, as (job id, id of the dataclip)."""

    reason: str | None
    error_type: str | None
    error_message: str | None
    leaves: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Assignment:
    """What a plan says of this one Attempt; the rest of the plan is the same for all Attempts of its snapshot.

    ``frontier`` are the Runs to go on with, ``taken_over`` what came before them; empty: it begins at ``start``, where ``queued`` are the
    Runs that wait already.
    """

    start: str
    project_id: str
    timeout_ms: int
    memory_mb: int
    payload_bytes: int
    job_log_level: str = "debug"
    keeps_outputs: bool = True
    executed_ms: int = 0
    frontier: tuple[FrontierRun, ...] = ()
    queued: tuple[FrontierRun, ...] = ()
    taken_over: TakenOver | None = None

    @property
    def remaining_ms(self) -> int:
        """What is left of the time that the Attempt may be executed."""
        return max(1, self.timeout_ms - self.executed_ms)


@dataclass(frozen=True)
class JobTraits:
    """What a server's plan says of jobs beyond OpenFn's: limits and retry policies by id; whether some job is there for failures."""

    limits: Mapping[str, JobLimits] = field(default_factory=dict)
    retries: Mapping[str, RetryPolicy] = field(default_factory=dict)
    for_failures: bool = False


def read_assignment(plan: Row, *, timeout_ms: int, memory_mb: int, payload_mb: float) -> Assignment:
    """What the plan says of this Attempt; the limits given hold where it says nothing. Raises InputError."""
    options = _mapping(plan.get("options"))
    megabytes = _number(options.get("payload_limit_mb"), payload_mb)
    return Assignment(
        start=_text(plan, "starting_node_id"),
        project_id=str(plan.get("project_id") or ""),
        timeout_ms=round(_number(options.get("run_timeout_ms"), timeout_ms)),
        memory_mb=round(_number(options.get("run_memory_limit_mb"), memory_mb)),
        payload_bytes=round(megabytes * 1024 * 1024),
        job_log_level=str(options.get("job_log_level") or "debug"),
        keeps_outputs=options.get("output_dataclips") is not False,
        executed_ms=round(_number(plan.get("executed_ms"), 0)),
        frontier=_runs(plan.get("runs")),
        queued=_runs(plan.get("queued")),
        taken_over=_taken_over(plan.get("taken_over")),
    )


def read_execution_plan(plan: Row) -> ExecutionPlan:
    """The workflow of a plan, to be executed from its start. Raises InputError."""
    edges = _edges(_rows(plan.get("edges")))
    triggers: list[Node] = [
        Trigger(_text(row, "id"), kind=str(row.get("type") or ""), edges=edges.get(_text(row, "id"), ()))
        for row in _rows(plan.get("triggers"))
    ]
    jobs: list[Node] = [_job(row, edges) for row in _rows(plan.get("jobs"))]
    name, shared = plan.get("name"), plan.get("globals")
    workflow = Workflow((*triggers, *jobs), name=str(name) if name else None, globals=str(shared) if shared else None)
    return ExecutionPlan(workflow, ExecutionOptions(start=_text(plan, "starting_node_id")))


def read_traits(plan: Row, workflow: Workflow) -> JobTraits:
    """What the plan of a Kivuko server says of jobs."""
    rows = _rows(plan.get("jobs"))
    policies = {_text(row, "id"): RetryPolicy.read(row.get("retry")) for row in rows}
    return JobTraits(
        limits={_text(row, "id"): JobLimits(_whole(row.get("timeout_ms")), _whole(row.get("memory_mb"))) for row in rows},
        retries={job_id: policy for job_id, policy in policies.items() if policy is not None},
        for_failures=any(edge.is_for_failure for _, edge in workflow.edges()),
    )


def _job(row: Row, edges: Mapping[str, tuple[Edge, ...]]) -> Job:
    identity, adaptor, credential = _text(row, "id"), row.get("adaptor"), row.get("credential_id") or row.get("credential")
    body, name = str(row.get("body") or ""), row.get("name")
    return Job(
        identity,
        body if body.strip() else _EMPTY_JOB,
        name=str(name) if name else None,
        adaptors=(str(adaptor),) if adaptor else (),
        configuration=credential if isinstance(credential, Mapping) else str(credential) if credential else None,
        edges=edges.get(identity, ()),
    )


def _edges(rows: Sequence[Row]) -> dict[str, tuple[Edge, ...]]:
    found: dict[str, tuple[Edge, ...]] = {}
    for row in rows:
        source = str(row.get("source_trigger_id") or row.get("source_job_id") or "")
        condition, disabled = row.get("condition"), row.get("enabled") is False
        chosen = condition if isinstance(condition, str | bool) else True
        failure_input = row.get("failure_input")
        edge = Edge(_text(row, "target_job_id"), chosen, disabled=disabled, failure_input=str(failure_input) if failure_input else None)
        found[source] = (*found.get(source, ()), edge)
    return found


def _taken_over(value: object) -> TakenOver | None:
    if not isinstance(value, Mapping):
        return None
    reason, error_type, message = (_text_or_none(value.get(key)) for key in ("reason", "error_type", "error_message"))
    leaves = tuple((_text(row, "job_id"), _text(row, "dataclip_id")) for row in _rows(value.get("leaves")))
    return TakenOver(reason, error_type, message, leaves)


def _runs(value: object) -> tuple[FrontierRun, ...]:
    return tuple(FrontierRun(_text(row, "id"), _text(row, "job_id"), round(_number(row.get("tries"), 0))) for row in _rows(value))


def _rows(value: object) -> list[Row]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, Sequence) and not isinstance(value, str | bytes) else []


def _mapping(value: object) -> Row:
    return value if isinstance(value, Mapping) else {}


def _text(row: Row, key: str) -> str:
    found = row.get(key)
    if not isinstance(found, str) or not found:
        raise InputError(f"The plan has no text {key}: {found!r}", fix="Update server and worker to versions that go together.")
    return found


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object, otherwise: float) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else otherwise


def _whole(value: object) -> int | None:
    return round(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
