"""What the records ask about projects and workflows while they write, answered from memory (``kivuko.records.Rules``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from kivuko.errors import AskingRefused, RecordsUnavailable
from kivuko.platform.changes import on_configuration_change
from kivuko.platform.projects.models import Project
from kivuko.platform.reaching import reaching
from kivuko.platform.workflows.document import CHAIN_KINDS, TriggerDocument, WorkflowDocument
from kivuko.platform.workflows.models import TriggerRow, Workflow
from kivuko.platform.workflows.snapshots import read_snapshot
from kivuko.platform.workflows.starts import jobs_behind, trigger_start
from kivuko.records import Cause, Id, RunEnd, Start, WorkflowEnd

__all__ = ["LOST_RETRIES", "PlatformRules"]

LOST_RETRIES = 2
"""How many new Attempts a lost one may get where its workflow does not say ``hold``."""


@dataclass(frozen=True)
class _Follower:
    """A trigger that waits for a job or a workflow of its project."""

    document: WorkflowDocument
    snapshot_id: Id
    trigger: TriggerDocument

    def fires(self, *, succeeded: bool, cancelled: bool) -> bool:
        if cancelled:
            return self.trigger.on_cancelled and self.trigger.kind != "success"
        return self.trigger.kind == "always" or (self.trigger.kind == "success") == succeeded


@dataclass(frozen=True)
class _Memory:
    followers: dict[Id, list[_Follower]] = field(default_factory=dict)
    holding: frozenset[Id] = frozenset()
    erasing: frozenset[Id] = frozenset()


class PlatformRules:
    """The rules of all projects. Reads the configuration when it is made and after each change of it; ``close`` ends that.

    Made after ``setup`` and ``migrate``. It may be asked on any thread, and never raises.
    """

    def __init__(self) -> None:
        self._memory = _Memory()
        self.refresh()
        self.close = on_configuration_change(self.refresh)

    def refresh(self) -> None:
        """Reads everything anew; until it is done, what was known holds. Raises RecordsUnavailable."""
        with reaching():
            self._memory = _read()

    def lost_retries(self, workflow_id: Id) -> int:
        """Two, or none where the workflow holds."""
        return 0 if workflow_id in self._memory.holding else LOST_RETRIES

    def failure_jobs(self, snapshot_id: Id, job_id: Id) -> Sequence[Id]:
        """The jobs behind failure and ``always`` edges. The snapshot is in memory when its Attempt was planned here; else it is read."""
        try:
            document = read_snapshot(snapshot_id)
        except (AskingRefused, RecordsUnavailable):
            return ()
        edges = document.open_edges_from(job_id)
        return tuple(edge.target_job_id for edge in edges if edge.condition_type in ("on_job_failure", "always"))

    def followers(self, end: RunEnd | WorkflowEnd) -> Sequence[Start]:
        """What this end starts, with fresh ids; workflows in order of their ids, triggers in document order."""
        source = end.job_id if isinstance(end, RunEnd) else end.workflow_id
        waiting = [each for each in self._memory.followers.get(source, []) if each.document.project_id == end.project_id]
        cause = Cause.SUCCESS if end.succeeded else Cause.FAILURE
        return tuple(
            trigger_start(each.document, each.snapshot_id, each.trigger.id, cause)
            for each in waiting
            if each.fires(succeeded=end.succeeded, cancelled=end.cancelled)
        )

    def erases(self, project_id: Id) -> bool:
        """Whether the project keeps nothing."""
        return project_id in self._memory.erasing


def _read() -> _Memory:
    erasing = Project.objects.filter(retention_policy="erase_all").values_list("id", flat=True)
    followers, holding = _workflows()
    return _Memory(followers, holding, frozenset(erasing))


def _workflows() -> tuple[dict[Id, list[_Follower]], frozenset[Id]]:
    """Who waits for whom, and which workflows hold what was lost."""
    found: dict[Id, list[_Follower]] = defaultdict(list)
    there = Workflow.objects.filter(deleted_at__isnull=True, project__deleted_at__isnull=True, snapshot_id__isnull=False)
    holding = frozenset(there.filter(when_lost="hold").values_list("id", flat=True))
    rows = TriggerRow.objects.filter(kind__in=CHAIN_KINDS, enabled=True, archived_at__isnull=True, workflow__enabled=True)
    waiting = rows.filter(workflow__in=there).select_related("workflow").order_by("workflow_id", "place")
    for row in waiting:
        if row.workflow.snapshot_id is None:
            continue
        document = read_snapshot(row.workflow.snapshot_id)
        trigger = document.trigger(row.id)
        source = trigger and (trigger.source_job_id or trigger.source_workflow_id)
        if trigger and source and jobs_behind(document, trigger.id):
            found[source].append(_Follower(document, row.workflow.snapshot_id, trigger))
    return dict(found), holding
