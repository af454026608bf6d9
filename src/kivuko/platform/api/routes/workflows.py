"""Workflows as whole documents, and their versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Body, Query, Router
from ninja.responses import Status
from pydantic import ConfigDict

from kivuko.errors import ObjectMissing, ValidationFailed
from kivuko.platform.accounts.models import User
from kivuko.platform.accounts.policies import Action
from kivuko.platform.api.access import found, project_of, require
from kivuko.platform.api.answers import json_answer
from kivuko.platform.api.authentication import actor_of
from kivuko.platform.api.pages import ListQuery, Page, count_up_to, orm_page
from kivuko.platform.api.patching import merged
from kivuko.platform.api.shapes.workflows import (
    SnapshotItem,
    SnapshotWhole,
    WorkflowShape,
    document_json,
    workflow_json,
)
from kivuko.platform.api.versions import check_version, wanted_version
from kivuko.platform.api.wire import IdText, Wire, datetime_us
from kivuko.platform.projects.models import Project
from kivuko.platform.workflows.models import Snapshot, Workflow
from kivuko.platform.workflows.reading import read_document
from kivuko.platform.workflows.saving import Saved, delete_workflow, restore_snapshot, save_workflow
from kivuko.platform.workflows.snapshots import CurrentSnapshot, current_snapshot, snapshot_of_row
from kivuko.records import Id

__all__ = ["router"]

router = Router(tags=["workflows"])

Written = Annotated[dict[str, Any], Body()]
_WRITTEN = {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/WorkflowWritten"}}}}}
_PATCH = {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "examples": [{"enabled": True}]}}}}}


class Restore(Wire):
    """Which version becomes the newest again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"snapshot_id": "0192f0a1-0000-7000-8000-0000000000cc"}]})

    snapshot_id: IdText
    lock_version: int | None = None


@router.get("/projects/{project_id}/workflows", response=Page[WorkflowShape], summary="List workflows")
def list_workflows(request: HttpRequest, project_id: IdText, query: Query[ListQuery]) -> Any:
    """Whole documents, newest first."""
    project = project_of(request, project_id)
    there = Workflow.objects.filter(project_id=project_id, deleted_at__isnull=True, snapshot_id__isnull=False)
    rows, cursor = orm_page(there, query)
    snapshots = {row.id: row for row in Snapshot.objects.filter(id__in=[row.snapshot_id for row in rows])}
    items = []
    for row in rows:
        document = snapshot_of_row(snapshots[row.snapshot_id])
        now = CurrentSnapshot(row.snapshot_id, row.lock_version, document, row.inserted_at, row.updated_at)
        items.append(workflow_json(now, project.timezone))
    return json_answer(request, {"items": items, "next_cursor": cursor, **count_up_to(query.count, lambda most: there[:most].count())})


@router.post("/projects/{project_id}/workflows", response={201: WorkflowShape}, summary="Create a workflow", openapi_extra=_WRITTEN)
def create_workflow(request: HttpRequest, project_id: IdText, written: Written) -> Any:
    """The whole workflow as one document; ids may be chosen."""
    project = project_of(request, project_id, Action.DESIGN)
    saved = save_workflow(project, read_document(written, project_id=project_id), author=actor_of(request), new=True)
    return _answer(request, project, saved.current, 201)


@router.get("/workflows/{workflow_id}", response=WorkflowShape, summary="Read a workflow")
def read_workflow(request: HttpRequest, workflow_id: IdText) -> Any:
    """The whole document."""
    project, current = _workflow(request, workflow_id)
    return _answer(request, project, current)


@router.put("/workflows/{workflow_id}", response=WorkflowShape, summary="Replace a workflow", openapi_extra=_WRITTEN)
def replace_workflow(request: HttpRequest, workflow_id: IdText, written: Written) -> Any:
    """Parts keep their ids; what is left out is removed. A document that changes nothing makes no version."""
    project, current = _workflow(request, workflow_id, Action.DESIGN)
    return _answer(request, project, _save(request, project, current, written).current)


@router.patch("/workflows/{workflow_id}", response=WorkflowShape, summary="Change a workflow", openapi_extra=_PATCH)
def change_workflow(request: HttpRequest, workflow_id: IdText, patch: Written) -> Any:
    """A JSON merge patch: lists (triggers, jobs, edges) are replaced whole."""
    project, current = _workflow(request, workflow_id, Action.DESIGN)
    given = {key: value for key, value in patch.items() if key != "lock_version"}
    whole = merged(current.document.as_json(), given)
    assert isinstance(whole, dict)
    version = patch.get("lock_version", None)
    return _answer(request, project, _save(request, project, current, {**whole, "lock_version": version}).current)


@router.delete("/workflows/{workflow_id}", response={204: None}, summary="Delete a workflow")
def delete_one_workflow(request: HttpRequest, workflow_id: IdText) -> Any:
    """Its history stays. Refused with 409 while a trigger of another workflow waits for one of its jobs."""
    _, current = _workflow(request, workflow_id, Action.DESIGN)
    check_version(request, None, current.lock_version, current.as_json)
    delete_workflow(workflow_id, author=actor_of(request))
    return Status(204, None)


@router.get("/workflows/{workflow_id}/snapshots", response=Page[SnapshotItem], summary="List the versions of a workflow")
def list_snapshots(request: HttpRequest, workflow_id: IdText, query: Query[ListQuery]) -> Any:
    """Newest first."""
    _workflow(request, workflow_id)
    there = Snapshot.objects.filter(workflow_id=workflow_id)
    rows, cursor = orm_page(there.defer("document"), query)
    authors = _authors({row.author_id for row in rows if row.author_id})
    items = [SnapshotItem(**_snapshot(row, authors)) for row in rows]
    return Page[SnapshotItem](items=items, next_cursor=cursor, **count_up_to(query.count, lambda most: there[:most].count()))


@router.get("/snapshots/{snapshot_id}", response=SnapshotWhole, summary="Read a version of a workflow")
def read_one_snapshot(request: HttpRequest, snapshot_id: IdText) -> Any:
    """The code that attempts of this version ran."""
    row = found(Snapshot.objects.filter(id=snapshot_id).select_related("workflow__project").first())
    require(request, row.workflow.project_id)
    authors = _authors({row.author_id} if row.author_id else set())
    document = document_json(snapshot_of_row(row), row.workflow.project.timezone)
    return json_answer(request, {**SnapshotItem(**_snapshot(row, authors)).as_json(), "document": document})


@router.post("/workflows/{workflow_id}/restore", response=WorkflowShape, summary="Restore a version of a workflow")
def restore_workflow(request: HttpRequest, workflow_id: IdText, given: Restore) -> Any:
    """An old version becomes the newest, as a version of its own."""
    project, current = _workflow(request, workflow_id, Action.DESIGN)
    version = wanted_version(request, given.lock_version, lambda: workflow_json(current, project.timezone))
    saved = restore_snapshot(workflow_id, given.snapshot_id, author=actor_of(request), lock_version=version)
    return _answer(request, project, saved.current)


def _workflow(request: HttpRequest, workflow_id: Id, action: Action = Action.SEE) -> tuple[Project, CurrentSnapshot]:
    row = found(Workflow.objects.filter(id=workflow_id, deleted_at__isnull=True).select_related("project").first())
    require(request, row.project_id, action)
    if row.snapshot_id is None:
        raise ObjectMissing()
    return row.project, current_snapshot(workflow_id)


def _save(request: HttpRequest, project: Project, current: CurrentSnapshot, written: Mapping[str, Any]) -> Saved:
    given = written.get("lock_version")
    if given is not None and (isinstance(given, bool) or not isinstance(given, int)):
        raise ValidationFailed(errors={"lock_version": ["must be a number"]})
    version = wanted_version(request, given, lambda: workflow_json(current, project.timezone))
    document = read_document(written, project_id=project.id, workflow_id=current.document.id)
    return save_workflow(project, document, author=actor_of(request), lock_version=version)


def _answer(request: HttpRequest, project: Project, current: CurrentSnapshot, status: int = 200) -> Any:
    at = f"workflows/{current.document.id}" if status == 201 else None
    return json_answer(request, workflow_json(current, project.timezone), status, at=at, version=current.lock_version)


def _snapshot(row: Snapshot, authors: Mapping[Id, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "workflow_id": row.workflow_id,
        "lock_version": row.lock_version,
        "author": authors.get(row.author_id) if row.author_id else None,
        "inserted_at": datetime_us(row.inserted_at),
    }


def _authors(ids: set[Id]) -> dict[Id, str]:
    return dict(User.objects.filter(id__in=sorted(ids)).values_list("id", "email")) if ids else {}
