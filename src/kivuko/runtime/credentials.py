"""The configurations of an Attempt: credentials looked up, written as JSON, and known to the scrubber."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from kivuko.engines.run import RunError
from kivuko.errors import KivukoError
from kivuko.runtime.faults import credential_fault
from kivuko.runtime.ports import CredentialResolver, Schemas
from kivuko.runtime.secrets import Scrubber
from kivuko.value import fresh, value
from kivuko.workflow import Job, Workflow

__all__ = ["Configurations", "load_configurations"]


@value
class Configurations:
    """What jobs are configured with, as JSON: by id of the job, and for all. ``fault`` tells that a credential could not be loaded."""

    scrubber: Scrubber
    by_job: Mapping[str, bytes] = fresh(factory=dict)
    shared: bytes | None = None
    fault: RunError | None = None


def load_configurations(
    workflow: Workflow, state: bytes, credentials: CredentialResolver | None, schemas: Schemas | None
) -> Configurations:
    """Looks up every credential that a workflow names, each once, before anything runs.

    Secrets are those of the credentials, of the workflow's own ``credentials`` and of the ``configuration`` in the initial state.
    """
    found, problems = _look_up(workflow, credentials)
    by_job: dict[str, Mapping[str, object]] = {}
    for job in workflow.jobs:
        if isinstance(job.configuration, Mapping):
            by_job[job.id] = job.configuration
        elif job.configuration in found:
            by_job[job.id] = found[job.configuration]
    known = [(configuration, _schema(workflow.by_id()[job_id], schemas)) for job_id, configuration in by_job.items()]
    scrubber = Scrubber.of([*known, (workflow.credentials, None), (_configuration_in(state), None)])
    written = {job_id: _json(configuration) for job_id, configuration in by_job.items()}
    fault = credential_fault(problems) if problems else None
    return Configurations(scrubber, written, _json(workflow.credentials) if workflow.credentials else None, fault)


def _look_up(
    workflow: Workflow, credentials: CredentialResolver | None
) -> tuple[dict[str, Mapping[str, object]], list[tuple[str, KivukoError]]]:
    found: dict[str, Mapping[str, object]] = {}
    problems: list[tuple[str, KivukoError]] = []
    for identity in _credential_ids(workflow):
        try:
            found[identity] = credentials(identity) if credentials else {}
        except KivukoError as problem:
            problems.append((identity, problem))
    return found, problems


def _credential_ids(workflow: Workflow) -> Iterator[str]:
    yield from dict.fromkeys(job.configuration for job in workflow.jobs if isinstance(job.configuration, str))


def _schema(node: object, schemas: Schemas | None) -> Mapping[str, object] | None:
    if schemas is None or not isinstance(node, Job) or not node.adaptors:
        return None
    return schemas(node.adaptors[0])


def _configuration_in(state: bytes) -> object:
    """The configuration that came with the initial state; only looked for where the word occurs."""
    if b'"configuration"' not in state:
        return None
    try:
        parsed = json.loads(state)
    except (ValueError, RecursionError):
        return None
    return parsed.get("configuration") if isinstance(parsed, dict) else None


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
