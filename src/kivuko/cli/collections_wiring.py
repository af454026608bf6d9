"""Jobs that use ``collections`` get its adaptor, its address and the token (cli.md §4.8)."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from kivuko.cli.log import Log
from kivuko.value import replace, value
from kivuko.workflow import ExecutionPlan, Job

__all__ = ["CollectionsAccess", "wire_collections"]

_ADAPTOR = "@openfn/language-collections"
_SHOWN = 4
_LONG_ENOUGH = 16


@value
class CollectionsAccess:
    """Where collections are and how to get in. ``token`` None: nobody gave one."""

    endpoint: str
    token: str | None = None
    version: str = "latest"


def wire_collections(plan: ExecutionPlan, access: CollectionsAccess, log: Log) -> ExecutionPlan:
    """The plan in which every job that mentions ``collections.`` can reach them. Expressions must be sources by now."""
    mentioning = [job for job in plan.workflow.jobs if "collections" in job.expression and not _has_adaptor(job)]
    if not mentioning:
        return plan
    uses_collections = importlib.import_module("kivuko.language").uses_collections  # the compiler is imported while hosts start
    wanting = {job.id for job in mentioning if uses_collections(job.expression)}
    if not wanting:
        return plan
    _tell(access, log)
    nodes = tuple(_wired(node, access) if isinstance(node, Job) and node.id in wanting else node for node in plan.workflow.nodes)
    return replace(plan, workflow=replace(plan.workflow, nodes=nodes))


def _has_adaptor(job: Job) -> bool:
    return any(_ADAPTOR in adaptor for adaptor in job.adaptors)


def _wired(job: Job, access: CollectionsAccess) -> Job:
    held = job.configuration if isinstance(job.configuration, Mapping) else {}
    configuration = {
        **held,
        "collections_endpoint": f"{access.endpoint.rstrip('/')}/collections",
        "collections_token": access.token or "null",
    }
    return replace(job, adaptors=(*job.adaptors, f"{_ADAPTOR}@{access.version}"), configuration=configuration)


def _tell(access: CollectionsAccess, log: Log) -> None:
    if access.token is None:
        log.warn("A job uses collections, but no API key was given: set OPENFN_API_KEY or give --apikey")
        log.info(f"Configured collections to use endpoint {access.endpoint}")
        return
    ending = access.token[-_SHOWN:] if len(access.token) >= _LONG_ENOUGH else "…"
    log.info(f"Configured collections to use endpoint {access.endpoint} and API Key ending with {ending}")
