"""Projects and their summaries."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Body, Query, Router
from ninja.responses import Status
from pydantic import ConfigDict, Field

from kivuko.platform.accounts.policies import Action, project_ids_of
from kivuko.platform.api.access import project_of, require
from kivuko.platform.api.answers import json_answer
from kivuko.platform.api.authentication import actor_of
from kivuko.platform.api.context import platform
from kivuko.platform.api.pages import ListQuery, Page, count_up_to, orm_page
from kivuko.platform.api.shapes.words import AttemptStateWord, word
from kivuko.platform.api.versions import check_version, wanted_version
from kivuko.platform.api.wire import IdText, Moment, Wire, datetime_us, time_text
from kivuko.platform.projects.changing import create_project, delete_project, update_project
from kivuko.platform.projects.models import Project
from kivuko.platform.projects.settings import ProjectSettings, project_settings, settings_of
from kivuko.platform.workflows.models import Workflow
from kivuko.records.listing_logs import WorkflowCounts, summary_of

__all__ = ["router"]

router = Router(tags=["projects"])

Days = Literal[7, 14, 30, 90, 180, 365]


class ProjectWritten(Wire):
    """A project as it is written; in a PATCH everything may be left out."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "clinic"}]})

    id: IdText | None = None
    name: Annotated[str, Field(pattern=r"^[a-z\d-]+$", max_length=100)]
    description: Annotated[str, Field(max_length=240)] = ""
    timezone: str = "UTC"
    concurrency: Annotated[int | None, Field(ge=1, description="How many attempts may run at once; null for any number.")] = None
    retention_policy: Literal["retain_all", "erase_all"] = "retain_all"
    history_retention_days: Days | None = None
    message_retention_days: Days | None = None
    dataclip_retention_days: Days | None = None
    keep_logs: bool = True


class ProjectShape(ProjectWritten):
    """A project as it is."""

    id: IdText
    lock_version: int
    inserted_at: Moment
    updated_at: Moment


class WorkflowSummary(Wire):
    """What happened in a workflow in the days asked for; what is unfinished counts whatever its age."""

    workflow_id: IdText
    name: str
    enabled: bool
    states: dict[AttemptStateWord, int]
    oldest_waiting_at: Moment | None
    last_failure_at: Moment | None
    last_failure_work_order_id: IdText | None


class SummaryQuery(Wire):
    """How far to look back."""

    days: Annotated[int, Field(ge=1, le=366)] = 30


Written = Annotated[dict[str, Any], Body()]
_WRITTEN = {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ProjectWritten"}}}}}
_PATCH = {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "examples": [{"concurrency": 1}]}}}}}


@router.get("/projects", response=Page[ProjectShape], summary="List my projects")
def list_projects(request: HttpRequest, query: Query[ListQuery]) -> Any:
    """Newest first."""
    mine = Project.objects.filter(id__in=list(project_ids_of(actor_of(request))), deleted_at__isnull=True)
    rows, cursor = orm_page(mine, query)
    counted = count_up_to(query.count, lambda most: mine[:most].count())
    return json_answer(request, {"items": [_json(settings_of(row)) for row in rows], "next_cursor": cursor, **counted})


@router.post("/projects", response={201: ProjectShape}, summary="Create a project", openapi_extra=_WRITTEN)
def create_one_project(request: HttpRequest, written: Written) -> Any:
    """It has one inbox from the start, and you as its owner."""
    settings = create_project(written, actor=actor_of(request)).settings
    return json_answer(request, _json(settings), 201, at=f"projects/{settings.id}", version=settings.lock_version)


@router.get("/projects/{project_id}", response=ProjectShape, summary="Read a project")
def read_project(request: HttpRequest, project_id: IdText) -> Any:
    """One project."""
    settings = settings_of(project_of(request, project_id))
    return json_answer(request, _json(settings), version=settings.lock_version)


@router.patch("/projects/{project_id}", response=ProjectShape, summary="Change a project", openapi_extra=_PATCH)
def change_project(request: HttpRequest, project_id: IdText, patch: Written) -> Any:
    """A JSON merge patch."""
    settings = settings_of(project_of(request, project_id, Action.CONFIGURE))
    version = wanted_version(request, patch.get("lock_version"), lambda: _json(settings))
    changed = update_project(project_id, patch, actor=actor_of(request), lock_version=version)
    return json_answer(request, _json(changed), version=changed.lock_version)


@router.delete("/projects/{project_id}", response={204: None}, summary="Delete a project")
def delete_one_project(request: HttpRequest, project_id: IdText) -> Any:
    """Its addresses and schedules are dead at once, its history goes in the background."""
    require(request, project_id, Action.DELETE)
    settings = project_settings(project_id)
    check_version(request, None, settings.lock_version, lambda: _json(settings))
    delete_project(project_id, actor=actor_of(request))
    return Status(204, None)


@router.get("/projects/{project_id}/summary", response=Page[WorkflowSummary], summary="Summarise a project")
def read_summary(request: HttpRequest, project_id: IdText, query: Query[SummaryQuery]) -> Any:
    """Per workflow: attempts by state, the oldest that waits, the last failure."""
    require(request, project_id)
    with platform().records.reading() as connection:
        counted = summary_of(connection, project_id, query.days)
    rows = Workflow.objects.filter(project_id=project_id, deleted_at__isnull=True).order_by("name")
    return Page[WorkflowSummary](items=[_summary(row, counted.get(row.id, WorkflowCounts())) for row in rows])


def _summary(row: Workflow, counts: WorkflowCounts) -> WorkflowSummary:
    return WorkflowSummary(
        workflow_id=row.id,
        name=row.name,
        enabled=row.enabled,
        states={word(state): count for state, count in sorted(counts.states.items())},
        oldest_waiting_at=counts.oldest_waiting_at,
        last_failure_at=counts.last_failure_id.made_at_us if counts.last_failure_id else None,
        last_failure_work_order_id=counts.last_failure_id,
    )


def _json(settings: ProjectSettings) -> dict[str, Any]:
    times = {"inserted_at": time_text(datetime_us(settings.inserted_at)), "updated_at": time_text(datetime_us(settings.updated_at))}
    return {**settings.as_json(), **times}
