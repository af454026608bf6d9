"""Reading workflows: snapshots never change, so each is parsed once."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from kivuko.errors import ObjectMissing
from kivuko.platform.reaching import reaching
from kivuko.platform.workflows.document import WorkflowDocument
from kivuko.platform.workflows.models import Snapshot, Workflow
from kivuko.platform.workflows.reading import read_document
from kivuko.records import Id

__all__ = ["CurrentSnapshot", "current_snapshot", "document_text", "enabled_workflows", "read_snapshot", "snapshot_of_row"]

_MOST_KEPT = 2_000


@dataclass(frozen=True)
class CurrentSnapshot:
    """A workflow as it is now."""

    snapshot_id: Id
    lock_version: int
    document: WorkflowDocument
    inserted_at: datetime
    updated_at: datetime

    def as_json(self) -> dict[str, object]:
        """The document with what identifies its version."""
        return {**self.document.as_json(), "lock_version": self.lock_version, "snapshot_id": str(self.snapshot_id)}


class _Kept:
    """The documents used last, by snapshot."""

    def __init__(self) -> None:
        self._documents: OrderedDict[Id, WorkflowDocument] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, snapshot_id: Id) -> WorkflowDocument | None:
        with self._guard:
            found = self._documents.get(snapshot_id)
            if found is not None:
                self._documents.move_to_end(snapshot_id)
            return found

    def put(self, snapshot_id: Id, document: WorkflowDocument) -> None:
        with self._guard:
            self._documents[snapshot_id] = document
            if len(self._documents) > _MOST_KEPT:
                self._documents.popitem(last=False)


_kept = _Kept()


def read_snapshot(snapshot_id: Id) -> WorkflowDocument:
    """The workflow as this snapshot has it. Raises ObjectMissing, RecordsUnavailable."""
    kept = _kept.get(snapshot_id)
    if kept is not None:
        return kept
    with reaching():
        found = Snapshot.objects.filter(id=snapshot_id).first()
    if found is None:
        raise ObjectMissing(f"snapshot {snapshot_id} does not exist")
    return snapshot_of_row(found)


def snapshot_of_row(row: Snapshot) -> WorkflowDocument:
    """The document of a row that was read already."""
    kept = _kept.get(row.id)
    if kept is None:
        kept = read_document(json.loads(row.document))
        _kept.put(row.id, kept)
    return kept


def document_text(document: WorkflowDocument) -> str:
    """A document as a snapshot stores it."""
    return json.dumps(document.as_json(), separators=(",", ":"))


def current_snapshot(workflow_id: Id) -> CurrentSnapshot:
    """A workflow as it is now. Raises ObjectMissing, also for one that was deleted."""
    found = Workflow.objects.filter(id=workflow_id, deleted_at__isnull=True, project__deleted_at__isnull=True).first()
    if found is None or found.snapshot_id is None:
        raise ObjectMissing(f"workflow {workflow_id} does not exist")
    return CurrentSnapshot(found.snapshot_id, found.lock_version, read_snapshot(found.snapshot_id), found.inserted_at, found.updated_at)


def enabled_workflows() -> Iterator[tuple[WorkflowDocument, Id]]:
    """Every workflow that is on, in all projects, with the id of its current snapshot."""
    there = Workflow.objects.filter(enabled=True, deleted_at__isnull=True, project__deleted_at__isnull=True, snapshot_id__isnull=False)
    for snapshot_id in there.order_by("inserted_at", "id").values_list("snapshot_id", flat=True):
        if snapshot_id is not None:
            yield read_snapshot(snapshot_id), snapshot_id
