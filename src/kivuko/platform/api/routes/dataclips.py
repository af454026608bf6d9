"""Dataclips: outputs, saved inputs, states of schedules."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import ConfigDict, Field

from kivuko.platform.accounts.policies import Action
from kivuko.platform.api.access import found, require
from kivuko.platform.api.context import platform, write
from kivuko.platform.api.payloads import Payload, body_answer, body_bytes, described
from kivuko.platform.api.wire import IdText, Moment, Wire
from kivuko.records import Dataclip, Id
from kivuko.records.database import Connection
from kivuko.records.listing_runs import dataclip_row
from kivuko.records.naming import NameDataclip

__all__ = ["router"]

router = Router(tags=["dataclips"])


class DataclipShape(Wire):
    """A dataclip. One with a name is kept when others are wiped."""

    id: IdText
    project_id: IdText
    kind: Literal["run_output", "saved_input", "schedule_state", "final_state", "edge_input"]
    name: str | None
    attempt_id: IdText | None
    inserted_at: Moment
    wiped_at: Moment | None
    body: Payload


class Name(Wire):
    """A name, or null for none."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "a case without a date"}]})

    name: Annotated[str, Field(min_length=1, max_length=255)] | None


@router.get("/dataclips/{dataclip_id}", response=DataclipShape, summary="Read a dataclip")
def read_dataclip(request: HttpRequest, dataclip_id: IdText) -> Any:
    """What it is, and its beginning."""
    with platform().records.reading() as connection:
        return _shape(_seen(request, connection, dataclip_id))


@router.get("/dataclips/{dataclip_id}/body", response={200: None}, summary="Download the body of a dataclip")
def read_dataclip_body(request: HttpRequest, dataclip_id: IdText) -> Any:
    """The bytes."""
    with platform().records.reading() as connection:
        clip = _seen(request, connection, dataclip_id)
    return body_answer(request, body_bytes(clip), name=f"dataclip-{dataclip_id}.json")


@router.patch("/dataclips/{dataclip_id}", response=DataclipShape, summary="Name a dataclip")
def name_dataclip(request: HttpRequest, dataclip_id: IdText, given: Name) -> Any:
    """A name protects its body from retention; null gives it up."""
    with platform().records.reading() as connection:
        clip = _seen(request, connection, dataclip_id)
    require(request, clip.project_id, Action.RUN)
    write(NameDataclip(dataclip_id, given.name))
    with platform().records.reading() as connection:
        return _shape(_seen(request, connection, dataclip_id))


def _seen(request: HttpRequest, connection: Connection, dataclip_id: Id) -> Dataclip:
    clip = found(dataclip_row(connection, dataclip_id))
    require(request, clip.project_id)
    return clip


def _shape(clip: Dataclip) -> DataclipShape:
    return DataclipShape(
        id=clip.id,
        project_id=clip.project_id,
        kind=clip.kind.name.lower(),  # type: ignore[arg-type]  # the names are the words
        name=clip.name,
        attempt_id=clip.attempt_id,
        inserted_at=clip.id.made_at_us,
        wiped_at=clip.wiped_at,
        body=described(clip),
    )
