"""What a host is asked to do: the request of a Run."""

from __future__ import annotations

import json
from collections.abc import Mapping

from kivuko.engines.run import HostKey, RunRequest
from kivuko.runtime.conditions import edges_to_ask
from kivuko.runtime.context import AttemptContext
from kivuko.runtime.hosts import run_limits
from kivuko.runtime.program import PreparedJob
from kivuko.workflow import Job, Node

__all__ = ["job_request", "trigger_request"]


def job_request(context: AttemptContext, prepared: PreparedJob, state: bytes | None, timeout_ms: int | None, *, last: bool) -> RunRequest:
    """One Run of a job; ``last`` says that nothing else waits. No state counts as an empty object (jobs-and-runtime §2.5).

    Only for jobs that were compiled.
    """
    job, compiled, settings = prepared.job, prepared.compiled, context.settings
    assert compiled is not None
    return RunRequest(
        key=context.keys[job.id],
        attempt=settings.attempt,
        job_id=job.id,
        job_name=job.title,
        script=compiled.script,
        source=compiled.source,
        state=b"{}" if state is None else state,
        operations=tuple((operation.name, operation.line) for operation in compiled.operations) or _listed(job),
        insertions=compiled.insertions,
        modules={specifier: files.key for specifier, files in prepared.modules.items()},
        execute_from=compiled.execute_from,
        default_state=None if job.state is None else json.dumps(job.state).encode(),
        credentials=context.configurations.shared,
        configuration=context.configurations.by_job.get(job.id),
        globals_script=context.program.globals_script,
        edges=edges_to_ask(job),
        remove_keys=settings.remove_keys,
        immutable=settings.immutable,
        debug=settings.debug,
        compiled=context.program.compiled,
        secrets=context.configurations.scrubber.forms,
        last=last,
        limits=run_limits(settings, timeout_ms, job.id),
        egress=settings.egress,
        isolation=settings.isolation,
    )


def _listed(job: Job) -> tuple[tuple[str | None, int], ...]:
    """Name and line of each operation of a job that was compiled elsewhere, as its source map lists them; empty without a map."""
    told = job.source_map.get("operations") if isinstance(job.source_map, Mapping) else None
    listed = [(one.get("name"), one.get("line")) for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []
    return tuple((name if isinstance(name, str) else None, line) for name, line in listed if isinstance(line, int))


def trigger_request(context: AttemptContext, node: Node, state: bytes | None, timeout_ms: int | None) -> RunRequest:
    """A Run of nothing: the state passes through, and the host decides the edges.

    Where jobs share a host the conditions use it too; otherwise they get one without adaptors and without credential.
    """
    settings = context.settings
    shared = next(iter(context.keys.values()), None) if settings.one_host else None
    return RunRequest(
        key=shared or HostKey(settings.project, ""),
        attempt=settings.attempt,
        job_id=node.id,
        job_name=node.title,
        script="",
        source="",
        state=state or b"",
        edges=edges_to_ask(node),
        remove_keys=(),
        limits=run_limits(settings, timeout_ms),
        egress=settings.egress,
        isolation=settings.isolation,
    )
